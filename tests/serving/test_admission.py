"""The queue: past it 429; a client that goes away gives its place back, wherever it stood."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest

LONG = {"prompt": "1, 2, 3,", "max_tokens": 900, "stream": True, "temperature": 0}


@pytest.fixture
def small(start_server: Any) -> Iterator[Any]:
    """A server with one slot and one place in the queue."""
    with start_server(slots=1, max_queue=1) as server:
        yield server


@contextmanager
def asking(server: Any, path: str, body: dict[str, Any]) -> Iterator[socket.socket]:
    """Send a request on a bare connection, and hang up at the end without a word."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    content = json.dumps(body).encode()
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        yield connection


def test_a_full_queue_and_clients_that_go_away(small: Any) -> None:
    with asking(small, "/v1/completions", LONG) as running:
        assert b" 200 " in running.recv(100)
        with asking(small, "/", {"prompt": "x", "max_length": 5}):
            small.wait_for("queue_length", lambda value: value == 1)
            assert small.metric("busy_slots") == 1
            refused = small.post("/infill", {"input_prefix": "x"})
            assert refused.status_code == 429
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert refused.json()["error"]["code"] == 429
            with (
                openai.OpenAI(base_url=f"{small.url}/v1", api_key="x", max_retries=0) as client,
                pytest.raises(openai.RateLimitError, match="1 requests wait"),
            ):
                client.completions.create(model="", prompt="x")
        # One that waits hangs up, and its place is free.
        small.wait_for("queue_length", lambda value: value == 0)
        assert small.metric("busy_slots") == 1
    # The one that runs hangs up: its slot is free at once, long before 900 tokens.
    assert small.wait_for("busy_slots", lambda value: value == 0) < 5
    assert small.metric("cancelled_requests_total") == 2
    assert small.post("/v1/completions", {"prompt": "x", "max_tokens": 1}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/completions", {**LONG, "stream": False}),
        ("/v1/suggestions", {"prefix": "1, 2, 3,", "max_tokens": 400, "n": 3}),
    ],
)
def test_hanging_up_frees_the_slot(server: Any, path: str, body: dict[str, Any]) -> None:
    body = {**body, "max_tokens": 400}
    before = server.metric("cancelled_requests_total")
    with asking(server, path, body):
        server.wait_for("busy_slots", lambda value: value == 1)
    assert server.wait_for("busy_slots", lambda value: value == 0) < 5
    assert server.metric("cancelled_requests_total") == before + 1


def test_a_request_that_takes_too_long_ends(start_server: Any) -> None:
    with start_server(request_timeout_s=0.5) as server:
        answer = server.post("/v1/completions", {**LONG, "stream": False})
        assert answer.status_code == 503
        assert "ask for fewer tokens" in answer.json()["error"]["message"]
        events = server.post("/v1/completions", LONG).text
        assert "ask for fewer tokens" in events
        assert "[DONE]" not in events
        server.wait_for("busy_slots", lambda value: value == 0)
