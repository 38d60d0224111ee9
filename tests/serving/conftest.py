"""Real servers in processes of their own: uvicorn, a port, a model."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tabwright.sampling.models import LocalModel

_PROGRAM = """
import json, logging, sys
from pathlib import Path
from tabwright.sampling.llamacpp import LlamaCppConfig, LlamaCppEngine
from tabwright.serving import ServingSettings, serve

logging.basicConfig(level=logging.INFO, format="%(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("uvicorn").setLevel(logging.WARNING)
path, name, style, slots, settings = json.loads(sys.argv[1])
config = LlamaCppConfig(path=Path(path), name=name, prompt_style=style, slots=slots, context_length=1024)
settings["model_aliases"] = tuple(settings.get("model_aliases", ()))
serve(lambda: LlamaCppEngine.start(config), ServingSettings(**settings), on_ready=lambda url: print(url, flush=True))
"""


@dataclass(kw_only=True)
class ServerProcess:
    """A server that runs, and the ways in which the tests look at it."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=120)

    def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        return self.client.post(path, json=body, **options)

    def metric(self, name: str) -> float:
        """Return the sum of a metric's values over its labels."""
        text = self.client.get("/metrics").text
        values = re.findall(rf"^tabwright_{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for value in values)

    def wait_for(self, name: str, wanted: Callable[[float], bool], timeout_s: float = 20) -> float:
        """Return how many seconds passed until a metric had the wanted value."""
        started = time.monotonic()
        while not wanted(value := self.metric(name)):
            assert time.monotonic() - started < timeout_s, f"{name} stayed {value} for {timeout_s} s"
            time.sleep(0.02)
        return time.monotonic() - started

    def terminate(self, timeout_s: float = 30) -> int:
        """Send SIGTERM and return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)


StartServer = Callable[..., Any]


def _program(model: LocalModel, slots: int, settings: dict[str, Any]) -> list[str]:
    plan = [str(model.path), model.name, model.prompt_style, slots, {"port": 0, **settings}]
    return ["-c", _PROGRAM, json.dumps(plan)]


@contextmanager
def _running(arguments: list[str], folder: Path) -> Iterator[ServerProcess]:
    log = folder / "server.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen([sys.executable, "-W", "error", *arguments], stdout=subprocess.PIPE, stderr=stderr)
    try:
        assert process.stdout is not None
        url = re.search(r"http://\S+", process.stdout.readline().decode())
        assert url is not None, log.read_text()
        server = ServerProcess(url=url[0], process=process, log=log)
        yield server
        server.client.close()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def server(smollm2: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server with the small model, for every test that leaves it as it was."""
    limits = {"max_tokens_limit": 400, "max_n": 8, "max_prompt_chars": 50_000, "max_body_bytes": 400_000}
    settings = {**limits, "model_aliases": ["small"]}
    with _running(_program(smollm2, 4, settings), tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def default_server(qwen: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with the default model."""
    with _running(_program(qwen, 2, {}), tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def client(server: ServerProcess) -> Iterator[openai.OpenAI]:
    """The unmodified OpenAI client."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=120) as client:
        yield client


@pytest.fixture
def start_server(smollm2: LocalModel, tmp_path: Path) -> StartServer:
    """Return a context manager that starts a server of the test's own with the small model."""

    def start(*, slots: int = 1, **settings: Any) -> Any:
        return _running(_program(smollm2, slots, settings), tmp_path)

    return start


@pytest.fixture
def tabwright_serve(smollm2: LocalModel, tmp_path: Path) -> StartServer:
    """Return a context manager that runs `tabwright serve` with the small model and more arguments."""

    def start(*arguments: str) -> Any:
        command = ["-m", "tabwright", "serve", "--model", smollm2.name, "--port", "0", "--workers", "1"]
        return _running([*command, *arguments], tmp_path)

    return start
