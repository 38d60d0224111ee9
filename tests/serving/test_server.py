"""A server's life: it binds, serves, drains, and ends with 0."""

import asyncio
import signal
import socket
import threading
from typing import Any

import pytest

from tabwright.serving import ServingSettings, SettingsError, serve

ASK = {"prompt": "1, 2, 3,", "max_tokens": 20, "temperature": 0, "stop": ["never"]}


async def no_engine() -> Any:
    raise AssertionError("the model was loaded before the port was known to be free")


def test_a_port_in_use_is_told_before_the_model_loads() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"port {port} on 127\.0\.0\.1 is in use; choose another with --port"):
            serve(no_engine, ServingSettings(port=port))


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 7860), ("192.0.2.1", 0), ("127.0.0.1", 70000)])
def test_an_address_that_is_not_ours_is_told(host: str, port: int) -> None:
    with pytest.raises(SettingsError, match=r"--(listen|port)"):
        serve(no_engine, ServingSettings(host=host, port=port))


def test_sigterm_lets_running_requests_finish_and_takes_no_more(start_server: Any) -> None:
    with start_server() as server:
        alone = server.post("/v1/completions", ASK).json()["choices"]
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(server.post("/v1/completions", ASK)))
        thread.start()
        server.wait_for("busy_slots", lambda value: value == 1)
        assert server.terminate(60) == 0
        thread.join(10)
        assert answers[0].json()["choices"] == alone
        host, _, port = server.url.removeprefix("http://").partition(":")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)), timeout=5)
        assert server.log.read_text() == ""


def test_a_request_that_outlasts_the_drain_is_cut(start_server: Any) -> None:
    with start_server(drain_timeout_s=1) as server:
        body = {**ASK, "max_tokens": 900, "stream": True}
        with server.client.stream("POST", "/v1/completions", json=body) as stream:
            next(stream.iter_lines())
            assert server.terminate(30) == 0


def test_sigterm_while_loading_ends_at_once() -> None:
    closed = asyncio.Event()

    async def slow() -> Any:
        asyncio.get_running_loop().call_later(0.2, signal.raise_signal, signal.SIGTERM)
        try:
            await asyncio.sleep(60)
        finally:
            closed.set()

    serve(slow, ServingSettings(port=0))
    assert closed.is_set()


def ask_in_own_words(server: Any) -> None:
    """Send one request that is answered, one that is refused, and one whose prompt is too long."""
    server.post("/v1/completions", {"prompt": "my very own words", "max_tokens": 1})
    server.post("/v1/completions", {"prompt": "my very own words", "max_tokens": "many"})
    server.post("/v1/completions", {"prompt": "my very own words " * 2000, "max_tokens": 1})
    assert server.terminate() == 0


def test_prompts_do_not_reach_even_the_log_of_a_program_that_logs_everything(start_server: Any) -> None:
    with start_server() as server:
        ask_in_own_words(server)
        assert "my very own words" not in server.log.read_text()


def test_serve_logs_nothing_unless_asked_to(tabwright_serve: Any) -> None:
    with tabwright_serve() as server:
        ask_in_own_words(server)
        assert server.log.read_text() == ""


def test_serve_logs_prompts_when_asked_to(tabwright_serve: Any) -> None:
    with tabwright_serve("--log-prompts") as server:
        ask_in_own_words(server)
        lines = server.log.read_text().splitlines()
        assert ["INFO tabwright.serving.service: prompt:" in line for line in lines] == [True, True]
        assert lines[0].count("my very own words") == 1
