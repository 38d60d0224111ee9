"""Who is let in, by key and by login, on every route but the page's own files and the health check."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tabwright.sampling import ModelCard
from tabwright.serving import ServingSettings, create_app


class IdleEngine:
    """An engine that is never asked for text: authentication comes first."""

    card = ModelCard(name="idle", engine="none", context_length=16)
    slots = 1

    def generate(self, prompt: Any, options: Any) -> Any:
        raise AssertionError("a request came past authentication")

    async def close(self) -> None:
        pass


@pytest.fixture
def app() -> FastAPI:
    return create_app(IdleEngine(), ServingSettings(api_key="s3cret", username="mé", password="pässwörd"))


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def test_every_documented_route_is_guarded(app: FastAPI, client: TestClient) -> None:
    guarded = [(path, method) for path, methods in app.openapi()["paths"].items() for method in methods]
    assert ("/v1/completions", "post") in guarded
    for path, method in [*guarded, ("/docs", "get"), ("/openapi.json", "get"), ("/no-such-path", "get"), ("/", "post")]:
        answer = client.request(method.upper(), path)
        assert answer.status_code == (200 if path == "/health" else 401), path


@pytest.mark.parametrize("path", ["/", "/health", "/icon.svg"])
def test_the_page_and_health_are_open(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer s3cret", 200),
        ("bearer s3cret", 200),
        ("Bearer s3cre", 401),
        ("Bearer ", 401),
        ("s3cret", 401),
        ("Basic czNjcmV0", 401),
        ("Basic !!!", 401),
        ("Bearer \u00e9\u00ff", 401),
    ],
)
def test_keys(client: TestClient, header: str, status: int) -> None:
    assert client.get("/v1/page", headers={b"Authorization": header.encode("latin-1")}).status_code == status


def test_logins(client: TestClient) -> None:
    assert client.get("/v1/page", auth=("mé", "pässwörd")).status_code == 200
    assert client.get("/v1/page", auth=("mé", "password")).status_code == 401


@pytest.mark.parametrize(
    ("settings", "way", "named"),
    [
        (ServingSettings(api_key="k"), "Bearer", "key"),
        (ServingSettings(username="u", password="p"), "Basic realm=", "basic"),
    ],
)
def test_a_refusal_says_how_to_get_in(settings: ServingSettings, way: str, named: str) -> None:
    assert settings.authentication == named
    with TestClient(create_app(IdleEngine(), settings), base_url="http://127.0.0.1") as client:
        answer = client.get("/v1/page")
    assert answer.headers["www-authenticate"].startswith(way)
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_the_openai_client_raises_authentication_error(start_server: Any) -> None:
    with start_server(api_key="right") as server:
        for key, right in (("right", True), ("wrong", False)):
            with openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0) as client:
                if right:
                    assert client.models.list().data
                else:
                    with pytest.raises(openai.AuthenticationError, match="API key"):
                        client.models.list()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:7860"}, 200),
        ({"Host": "[::1]:7860"}, 200),
        ({"Host": "127.0.0.1:7860", "Origin": "http://localhost:7860"}, 200),
        ({"Origin": "vscode-webview://0abc"}, 200),
        ({"Host": "rebound.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_another_site_cannot_use_a_server_for_this_machine(headers: dict[str, str], status: int) -> None:
    app = create_app(IdleEngine(), ServingSettings())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/v1/models", headers=headers).status_code == status


def test_a_server_for_the_network_answers_by_any_name() -> None:
    app = create_app(IdleEngine(), ServingSettings(host="0.0.0.0", api_key="s3cret"))
    with TestClient(app, base_url="http://build-box.lan") as client:
        assert client.get("/v1/models", headers={"Authorization": "Bearer s3cret"}).status_code == 200
