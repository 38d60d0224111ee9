"""Models from a hub: a real pull from a server that answers as the Hugging Face hub does, then offline."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tabwright.sampling.models import LocalModel
from tests.cli.conftest import Run


@dataclass
class Hub:
    """What was asked of the hub."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def hub(smollm2: LocalModel) -> Iterator[Hub]:
    state = Hub()
    data = smollm2.path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(with_body=False)

        def do_GET(self) -> None:
            self.answer(with_body=True)

        def answer(self, with_body: bool) -> None:
            state.asked.append(f"{self.command} {self.path}")
            if self.path != "/owner/repo/resolve/main/model.gguf":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("X-Linked-ETag", f'"{digest}"')
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("ETag", f'"{digest}"')
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if with_body:
                self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.usefixtures("empty_cache")
def test_a_hub_file_is_verified_by_the_hub_s_hash_and_then_found_offline(tabwright: Run, hub: Hub) -> None:
    reference = "hf:owner/repo/model.gguf"
    result = tabwright("models", "pull", reference, HF_ENDPOINT=hub.url)
    assert result.returncode == 0, result.stderr
    path = "/owner/repo/resolve/main/model.gguf"
    assert hub.asked[-2:] == [f"HEAD {path}", f"GET {path}"]
    shown = tabwright("models", "show", reference, HF_ENDPOINT="http://127.0.0.1:9")
    assert "134,515,008" in shown.stdout
    again = tabwright("models", "pull", reference, HF_ENDPOINT="http://127.0.0.1:9")
    assert again.stdout == result.stdout


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.parametrize("reference", ["hf:owner/repo/other.gguf", "hf:owner/repo/model.gguf"])
def test_a_hub_that_lacks_the_file_or_is_out_of_reach_is_one_line(tabwright: Run, hub: Hub, reference: str) -> None:
    url = hub.url if "other" in reference else "http://127.0.0.1:9"
    result = tabwright("models", "pull", reference, HF_ENDPOINT=url)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith(f"tabwright: {reference}: the hub did not answer for it")
    assert "Traceback" not in result.stderr
