"""The whole application: its OpenAPI document under fire, its limits, its metrics, and its last line of defence."""

from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error

from tabwright.sampling import Chunk, ModelCard
from tabwright.serving import ServingSettings, create_app

EXAMPLES = 20
LENGTHS = ("max_tokens", "max_length", "n_predict")


def attack(operation: Any) -> int:
    """Send one operation bodies that fit its schema and bodies that do not; return how many."""
    count = 0

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES if operation.method == "post" else 3,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any) -> None:
        nonlocal count
        if isinstance(case.body, dict):  # a text of the default length costs seconds and finds nothing more
            case.body = {**dict.fromkeys(LENGTHS, 1), **case.body}
        case.validate_response(case.call(timeout=120), checks=[not_a_server_error])
        count += 1

    send()
    return count


def test_schemathesis_finds_no_server_error(start_server: Any) -> None:
    with start_server(slots=2, max_tokens_limit=4, max_n=2) as server:
        schema: Any = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations()]
        seen = {operation.label: attack(operation) for operation in operations}
        assert len(seen) >= 15, seen
        assert sum(count for label, count in seen.items() if label.startswith("POST")) >= 6 * EXAMPLES, seen
        assert server.client.get("/health").status_code == 200


def test_a_body_too_long_is_refused(server: Any) -> None:
    for content in (b"x" * 400_001, iter([b"x" * 300_000] * 2)):
        answer = server.client.post("/v1/completions", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert "longer than 400000 bytes" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PUT", "/infill", 405)])
def test_unknown_routes_have_an_error_of_the_protocol(server: Any, method: str, path: str, status: int) -> None:
    answer = server.client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/metrics"])
def test_a_load_balancer_may_ask_for_the_head_alone(server: Any, path: str) -> None:
    head, whole = server.client.head(path), server.client.get(path)
    assert head.status_code == whole.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_metrics_count_what_happens(server: Any) -> None:
    names = ["completion_tokens_total", "prompt_tokens_total", "time_to_first_token_seconds_count"]
    before = {name: server.metric(name) for name in names}
    body = {"prompt": "one two three four five", "max_tokens": 4, "n": 2, "temperature": 0}
    usage = server.post("/v1/completions", body).json()["usage"]
    after = {name: server.metric(name) - before[name] for name in names}
    assert list(after.values()) == [usage["completion_tokens"], usage["prompt_tokens"], 1]
    text = server.client.get("/metrics").text
    assert 'tabwright_requests_total{route="/v1/completions",status="200"}' in text
    assert 'tabwright_request_seconds_bucket{le="1.0",route="/v1/completions"}' in text
    cached = server.metric("cached_prompt_tokens_total")
    server.post("/v1/completions", body)
    assert server.metric("cached_prompt_tokens_total") > cached


class BrokenEngine:
    """An engine with a bug whose message holds what the client sent."""

    card = ModelCard(name="broken", engine="none", context_length=100)
    slots = 1

    async def generate(self, prompt: Any, options: Any) -> Any:
        if options.seed != 1:
            raise ZeroDivisionError(f"cannot answer {prompt}")
        yield Chunk(index=0, text="first")
        raise ZeroDivisionError(f"cannot answer {prompt}")

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(("seed", "status"), [(0, 500), (1, 200)])
def test_a_bug_shows_no_traceback_and_no_prompt(seed: int, status: int, caplog: pytest.LogCaptureFixture) -> None:
    with TestClient(create_app(BrokenEngine(), ServingSettings()), base_url="http://127.0.0.1") as client:
        body = {"prompt": "my own words", "seed": seed, "stream": True}
        answer = client.post("/v1/completions", json=body)
    assert answer.status_code == status
    assert '"type":"server_error"' in answer.text
    assert "Traceback" not in answer.text
    assert "my own words" not in answer.text + caplog.text
    assert "ZeroDivisionError while answering a request" in caplog.text
