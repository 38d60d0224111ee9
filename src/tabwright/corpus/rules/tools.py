"""Rules that ask another program, once for a batch: ruff formats Python, kingfisher finds secrets."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from kingfisher import get_binary_path

from tabwright.corpus.batch import Rule, drop, put, slices, values, views
from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.errors import CorpusError

EMAIL, SECRET = b"<EMAIL>", b"<SECRET>"
# An address is looked for from its @, of which there are few, and not from every word. What is called is none.
_DOMAIN = re.compile(rb"@(?:[A-Za-z0-9][A-Za-z0-9\-]{0,62}\.){1,8}(?:[a-z]{2,24}|[A-Z]{2,24})\b(?![\w.\-]*\()")
_PERSON = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}\Z")
_PASSWORD = re.compile(rb"://[^\s/@:'\"]{0,64}:([^\s/@'\"]{1,128})\Z")
_LOOK_BACK = 200
# What stands before Kotlin's labels.
_KEYWORDS = frozenset((b"this", b"super", b"return", b"break", b"continue"))
_DONE = re.compile(r"(\d+) files? (?:reformatted|left unchanged)")
_FAILED = re.compile(r"error: Failed to (?:parse|read) (?:.*/)?(\d+)\.pyi?:?(?:\d+:\d+:)? ?(.*)")
# Thousands of small files take longer to make on a disk than to look through. There may be several of us.
_MEMORY, _ROOM = Path("/dev/shm"), 8  # noqa: S108 - the folder made there has a name of its own, and is this user's
# Shorter finds are words that a program's text may need.
_LEAST_SECRET = 8


def python(config: CorpusConfig) -> Rule:
    """Format Python to PEP 8 with ruff; what does not parse as Python 3 is dropped, or kept as it is."""

    def rule(table: pa.Table) -> pa.Table:
        rows = [at for at, name in enumerate(values(table, "language")) if name == "Python"]
        if not rows:
            return table
        new = {}
        with _folder(table, rows) as folder:
            failed = _format(folder, len(rows))
            old = views(table)
            for at, path in _paths(table, folder, rows):
                if at not in failed and (text := path.read_bytes()) != old[at]:
                    new[at] = text
        table = _changed(table, new, "formatted")
        if config.unparsable == "keep":
            return table
        dropped = np.zeros(len(table), dtype=bool)
        dropped[list(failed)] = True
        return drop(table, dropped, [f"no Python 3: {failed[at]}" for at in sorted(failed)])

    return rule


def private(_: CorpusConfig) -> Rule:
    """Replace e-mail addresses and secrets, of which the same placeholders are left each time."""

    def rule(table: pa.Table) -> pa.Table:
        with _folder(table, range(len(table))) as folder:
            found = _secrets(folder)
        old = views(table)
        hidden = {at: _without(secrets, bytes(old[at])) for at, secrets in found.items()}
        table = _changed(table, {at: text for at, text in hidden.items() if text != old[at]}, "secrets")
        # After the secrets, as an address may end with a password and begin with a machine.
        mailed = ((at, _without_addresses(text)) for at, text in enumerate(views(table)))
        return _changed(table, {at: text for at, text in mailed if text is not None}, "e-mail addresses")

    return rule


def _without_addresses(text: memoryview) -> bytes | None:
    """Return a text with its addresses replaced, and passwords before a machine's; None where it has none."""
    parts: list[memoryview | bytes] = []
    end = 0
    for domain in _DOMAIN.finditer(text):
        before = text[max(end, domain.start() - _LOOK_BACK) : domain.start()]
        if password := _PASSWORD.search(before):
            parts += [text[end : domain.start() - len(password[1])], SECRET]
            end = domain.start()
        elif (person := _PERSON.search(before)) and person[0] not in _KEYWORDS:
            parts += [text[end : domain.start() - len(person[0])], EMAIL]
            end = domain.end()
    return b"".join([*parts, text[end:]]) if parts else None


def _without(secrets: set[bytes], text: bytes) -> bytes:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, SECRET)
    return text


def _format(folder: Path, n_files: int) -> dict[int, str]:
    """Format the files of a folder; return why some of them cannot be."""
    n_done, failed = _ruff(folder)
    if n_done + len(failed) == n_files:
        return failed
    # It ended at a file that it cannot bear, before it came to the others: one after the other then.
    each = {int(path.stem): _ruff(path) for path in sorted(folder.iterdir())}
    if not any(done or why for done, why in each.values()):
        raise CorpusError(f"ruff: looked at none of {n_files} files; see whether `ruff format` works")
    return {at: why.get(at, "ruff cannot bear it") for at, (done, why) in each.items() if not done}


def _ruff(place: Path) -> tuple[int, dict[int, str]]:
    """Format a file, or those of a folder; return how many could be, and why others could not."""
    program = Path(sysconfig.get_path("scripts")) / "ruff"
    options = ("--isolated", "--no-cache", "--no-respect-gitignore")
    done = _run("ruff", program, "format", *options, str(place))
    found = filter(None, map(_FAILED.match, done.stderr.splitlines()))
    return sum(map(int, _DONE.findall(done.stdout))), {int(why[1]): why[2].strip() or "does not parse" for why in found}


def _secrets(folder: Path) -> dict[int, set[bytes]]:
    """Return what kingfisher found in each file."""
    done = _run(
        "kingfisher", get_binary_path(), "scan", "--no-validate", "--no-update-check", "--format", "jsonl",
        "--git-history", "none", "--no-dedup", "--no-extract-archives", "--no-base64", "--no-ignore", "--jobs", "1",
        "--quiet", str(folder),
    )  # fmt: skip
    if done.returncode not in (0, 200, 205):  # nothing, findings, findings that hold
        raise CorpusError(f"kingfisher: exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    found: dict[int, set[bytes]] = defaultdict(set)
    for line in filter(None, done.stdout.split("\n")):  # a finding may hold other ends of lines
        finding: Mapping[str, Any] = json.loads(line).get("finding", {})
        if not finding:
            continue
        texts_found = [finding.get("snippet", ""), *finding.get("dependent_captures", {}).values()]
        found[int(Path(finding["path"]).stem)] |= {
            text.encode() for text in texts_found if isinstance(text, str) and len(text) >= _LEAST_SECRET
        }
    return found


def _changed(table: pa.Table, new: Mapping[int, bytes], what: str) -> pa.Table:
    """Return the table with some texts replaced, and what was done to them noted; other slices stay as they are."""
    if not new:
        return table
    parts, begin = [], 0
    for part in slices(table):
        its = {at - begin: new[at] for at in range(begin, begin + len(part)) if at in new}
        parts.append(_replaced(part, its, what) if its else part)
        begin += len(part)
    return pa.concat_tables(parts)


def _replaced(part: pa.Table, new: Mapping[int, bytes], what: str) -> pa.Table:
    mask = np.zeros(len(part), dtype=bool)
    mask[list(new)] = True
    replaced = pa.array([new[at] for at in sorted(new)], pa.large_binary())
    texts_now = pc.replace_with_mask(part.column("text").chunk(0), pa.array(mask), replaced)
    changes = part.column("changes").to_pylist()
    for at in new:
        changes[at] = [*changes[at], what]
    return put(put(part, "text", texts_now), "changes", pa.array(changes, pa.list_(pa.string())))


@contextmanager
def _folder(table: pa.Table, rows: Sequence[int]) -> Iterator[Path]:
    """Write texts to a folder for a while, each named by its row; to one in memory where there is room."""
    contents = views(table)
    size = sum(len(contents[at]) for at in rows)
    in_memory = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM * size
    parent = _MEMORY if in_memory else Path(tempfile.gettempdir())
    _sweep(parent)
    with tempfile.TemporaryDirectory(prefix=f"tabwright-{os.getpid()}-", dir=parent) as name:
        folder = Path(name)
        for at, path in _paths(table, folder, rows):
            path.write_bytes(contents[at])
        yield folder


@cache
def _sweep(parent: Path) -> None:
    """Remove what processes of this user that were killed left there."""
    for path in parent.glob("tabwright-*-*"):
        number = path.name.split("-")[1]
        with suppress(FileNotFoundError):  # another process removes it too
            if number.isdigit() and not _is_running(int(number)) and path.stat().st_uid == os.getuid():
                shutil.rmtree(path, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _paths(table: pa.Table, folder: Path, rows: Sequence[int]) -> Iterator[tuple[int, Path]]:
    names, languages = values(table, "path"), values(table, "language")
    for at in rows:
        suffix = ".pyi" if names[at].endswith(".pyi") else ".py" if languages[at] == "Python" else ".txt"
        yield at, folder / f"{at}{suffix}"


def _run(name: str, *command: str | Path) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=600)
    except FileNotFoundError:
        raise CorpusError(f"{name}: is not installed; pip install 'tabwright[corpus]'") from None
    except subprocess.TimeoutExpired:
        raise CorpusError(f"{name}: did not end within 10 minutes") from None
