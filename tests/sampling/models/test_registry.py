"""Models by name, path, hub id and address; with a warm cache nothing touches the network."""

from __future__ import annotations

import hashlib
import shutil
import socket
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tabwright.download import DownloadError
from tabwright.sampling.models import (
    GGUFError,
    LocalModel,
    ModelNotFoundError,
    default_model,
    locate,
    models_folder,
    pull,
    registered_models,
    remove,
    weights_digest,
)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to open a connection fails the test."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def file_server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "www"
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, directory=str(folder), **kwargs)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_registry_names_the_default_and_each_row_is_complete() -> None:
    rows = {row.name: row for row in registered_models()}
    assert default_model() == "qwen2.5-coder-0.5b"
    assert {"qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "smollm2-135m"} <= set(rows)
    for row in rows.values():
        assert len(row.sha256) == 64
        assert row.size_bytes > 50_000_000
        assert row.hub or row.wheels


@pytest.mark.usefixtures("offline")
def test_a_cached_model_is_found_without_the_network(smollm2: LocalModel) -> None:
    assert locate("smollm2-135m") == smollm2
    assert pull("smollm2-135m") == smollm2
    assert smollm2.licence == "Apache-2.0"


@pytest.mark.usefixtures("offline")
def test_a_path_is_taken_as_it_is(smollm2: LocalModel) -> None:
    found = pull(str(smollm2.path))
    assert (found.path, found.name) == (smollm2.path, "smollm2-135m")


@pytest.mark.usefixtures("empty_cache")
def test_a_damaged_cached_file_does_not_count(smollm2: LocalModel) -> None:
    path = models_folder() / "smollm2-135m.gguf"
    path.parent.mkdir(parents=True)
    shutil.copy(smollm2.path, path)
    assert locate("smollm2-135m") is not None
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    assert locate("smollm2-135m") is None
    assert pull("smollm2-135m").path.read_bytes() == smollm2.path.read_bytes()


@pytest.mark.usefixtures("empty_cache")
def test_a_foreign_file_in_the_place_of_an_address_does_not_count(smollm2: LocalModel) -> None:
    reference = f"https://example.invalid/m.gguf#sha256={'0' * 64}"
    path = models_folder() / ("0" * 16) / "m.gguf"
    path.parent.mkdir(parents=True)
    shutil.copy(smollm2.path, path)
    assert locate(reference) is None


@pytest.mark.usefixtures("empty_cache")
def test_references_that_differ_have_places_that_differ() -> None:
    for reference in ("hf:o/r/a/m.gguf", "hf:o/r/b/m.gguf", "hf:o/r--a/m.gguf", f"https://h/../..#sha256={'0' * 64}"):
        assert locate(reference) is None
    with pytest.raises(ModelNotFoundError, match="use hf:owner/repo/file"):
        locate("hf:o/r/../../x.gguf")
    with pytest.raises(ModelNotFoundError, match="nothing to remove"):
        remove(f"https://h/..#sha256={'0' * 64}")


@pytest.mark.parametrize(
    ("reference", "remedy"),
    [
        ("no-such-model", "known names: qwen2.5-coder-0.5b"),
        ("none.gguf", "no such model file"),
        ("https://example.invalid/a.gguf", "end the address with #sha256="),
        ("https://example.invalid/a.gguf#sha256=12", "end the address with #sha256="),
        ("hf:owner/repo", "use hf:owner/repo/file.gguf"),
    ],
)
def test_a_reference_that_names_nothing_says_what_would(reference: str, remedy: str) -> None:
    with pytest.raises(ModelNotFoundError, match=remedy):
        pull(reference)


@pytest.mark.usefixtures("empty_cache")
def test_an_address_with_its_hash_is_fetched_once(smollm2: LocalModel, file_server: tuple[Path, str]) -> None:
    folder, url = file_server
    shutil.copy(smollm2.path, folder / "model.gguf")
    digest = hashlib.sha256(smollm2.path.read_bytes()).hexdigest()
    first = pull(f"{url}/model.gguf#sha256={digest}")
    (folder / "model.gguf").unlink()
    assert pull(f"{url}/model.gguf#sha256={digest}") == first
    assert first.path.read_bytes() == smollm2.path.read_bytes()


@pytest.mark.usefixtures("empty_cache")
def test_a_wrong_hash_and_a_file_that_is_no_model_are_refused(file_server: tuple[Path, str]) -> None:
    folder, url = file_server
    (folder / "model.gguf").write_bytes(b"not a model")
    with pytest.raises(DownloadError, match="expected 000000000000"):
        pull(f"{url}/model.gguf#sha256={'0' * 64}")
    digest = hashlib.sha256(b"not a model").hexdigest()
    with pytest.raises(GGUFError, match="not a GGUF file"):
        pull(f"{url}/model.gguf#sha256={digest}")
    assert list(models_folder().rglob("*.gguf")) == []


def test_other_weights_have_another_digest(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"one")
    before = weights_digest(folder)
    assert weights_digest(folder) == before
    assert weights_digest(folder / "config.json") == hashlib.sha256(b"{}").hexdigest()
    (folder / "model.safetensors").write_bytes(b"two")
    assert weights_digest(folder) != before


@pytest.mark.usefixtures("empty_cache")
def test_remove_deletes_downloads_and_nothing_else(smollm2: LocalModel, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    shutil.copy(smollm2.path, own)
    with pytest.raises(ModelNotFoundError, match="delete a file of your own yourself"):
        remove(str(own))
    assert own.exists()
    with pytest.raises(ModelNotFoundError, match="nothing to remove"):
        remove("smollm2-135m")
    path = models_folder() / "smollm2-135m.gguf"
    path.parent.mkdir(parents=True)
    shutil.copy(own, path)
    assert remove("smollm2-135m") == path
    assert not path.exists()
