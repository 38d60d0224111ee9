"""The nouns that cross stages (Document, Problem, Sample, Score) and their JSON Lines files.

Input and output: one JSON object per line, UTF-8, optionally gzip-compressed when a file's name ends in `.gz`.
Stages meet through these files, so each stage runs and is tested alone. Nothing here knows how a record is made.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Self, TypeVar, get_args, get_origin, get_type_hints

_LEFTOVER = re.compile(r"\..+\.\d+\.tmp")


class RecordError(ValueError):
    """A record or a file of records is not what its reader needs; the message names the place and the remedy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Base of every record: built from a mapping, written as a mapping, unknown keys passed over."""

    @classmethod
    def from_mapping(cls, row: Mapping[str, Any]) -> Self:
        """Build the record from a JSON object.

        Keys that this record does not have are passed over, so that files written by other tools can be read.

        Raises:
            RecordError: a required key is missing, or a value is not of its field's type; numbers must be finite.
        """
        hints = _hints(cls)
        missing = [
            f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING and f.name not in row
        ]
        if missing:
            raise RecordError(f"'{missing[0]}' is missing; add it")
        record = cls(**{key: value for key, value in row.items() if key in hints})
        for name, hint in hints.items():
            value = getattr(record, name)
            if not _fits(value, hint):
                raise RecordError(f"{name} must be {_describe(hint)}, got {value!r:.60}")
        return record

    def to_mapping(self) -> dict[str, Any]:
        """Return the record as a JSON object, without the keys that have no value."""
        return {key: value for key, value in asdict(self).items() if value is not None}


_hints: Callable[[type], dict[str, Any]] = functools.cache(get_type_hints)


def _fits(value: object, hint: Any) -> bool:
    """Whether a JSON value is of a field's type; a whole number is a float too, true is no number."""
    origin = get_origin(hint)
    if origin is UnionType:
        return any(_fits(value, option) for option in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if isinstance(value, bool):
        return hint is bool
    if hint is float:
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return isinstance(value, origin or hint)


def _describe(hint: Any) -> str:
    if get_origin(hint) in (UnionType, Literal):
        return " or ".join(_describe(option) for option in get_args(hint))
    names = {str: "a string", int: "a whole number", float: "a finite number", NoneType: "null"}
    return hint if isinstance(hint, str) else names.get(hint, "an object")


@dataclass(frozen=True, kw_only=True, slots=True)
class Document(Record):
    """One source file with where it came from."""

    text: str
    path: str
    repository: str = ""
    revision: str = ""
    language: str = ""
    licence: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem(Record):
    """One task of a benchmark, with openai/human-eval's field names.

    Attributes:
        prompt: what a model is given.
        entry_point: the function that the program must define.
        test: in Python it defines `check(candidate)`, or is run as it stands; in other languages it is as HumanEval-X
            has it.
        canonical_solution: a completion that passes.
        suffix: what follows the completion, as in openai/human-eval-infilling.
        language: "python", or a key of evaluation's table of languages.
        preamble: what stands before the completion in the program; the prompt where None.
        setup: lines that the program's process runs after its own; they make what the test needs of it.
        stops: strings that end a completion; those of the language where None.
        declaration: the prompt without its description, as HumanEval-X has it for translations.
        form: whether the prompt is code, which prompt styles can be put around, or a text that stands by itself.
    """

    task_id: str
    prompt: str
    entry_point: str
    test: str
    canonical_solution: str = ""
    suffix: str = ""
    language: str = "python"
    preamble: str | None = None
    setup: str = ""
    stops: list[str] | None = None
    declaration: str = ""
    form: Literal["code", "text"] = "code"

    def program(self, completion: str) -> str:
        """Return the program that a completion makes."""
        before = self.prompt if self.preamble is None else self.preamble
        return before + completion + self.suffix


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample(Record):
    """One completion of one problem. `mean_logprob` is in nats per token.

    openai/human-eval's own sample files (`task_id` and `completion` only) are valid.
    """

    task_id: str
    completion: str
    mean_logprob: float | None = None
    n_tokens: int | None = None
    finish_reason: str | None = None


Outcome = Literal["passed", "failed", "timeout", "memory", "output", "crashed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Score(Record):
    """What happened when one sample's program was run against its problem's test.

    `sample_index` counts the samples of the file from 0; `error` is the last line of what went wrong; `output` is what
    the program wrote, its middle left out where that is long, and None where nobody knows.
    """

    task_id: str
    sample_index: int
    outcome: Outcome
    error: str | None = None
    duration_s: float | None = None
    mean_logprob: float | None = None
    n_tokens: int | None = None
    output: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the program passed its test."""
        return self.outcome == "passed"


R = TypeVar("R", bound=Record)


def read_rows(path: Path, *, skip: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a JSON Lines file, after the first `skip` lines that hold one.

    A last line without its newline is what an interrupted writer leaves; it is passed over unless it parses.

    Raises:
        RecordError: the file is missing, or a line is not a JSON object (named by its number).
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                if skip:
                    skip -= 1
                    continue
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    if not line.endswith(b"\n"):
                        return
                    raise RecordError(f"{path}, line {number}: not JSON; remove or mend the line") from None
                if not isinstance(row, dict):
                    raise RecordError(f"{path}, line {number}: expected a JSON object, got {type(row).__name__}")
                yield row
    except FileNotFoundError:
        raise RecordError(f"{path}: no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise RecordError(f"{path}: cannot be read: {reason}") from None


def read_records(path: Path, kind: type[R], *, skip: int = 0) -> Iterator[R]:
    """Yield the records of `kind` in a JSON Lines file, after the first `skip` rows.

    Raises:
        RecordError: as `read_rows` and `Record.from_mapping`.
    """
    for number, row in enumerate(read_rows(path, skip=skip), start=skip + 1):
        try:
            yield kind.from_mapping(row)
        except RecordError as error:
            raise RecordError(f"{path}, record {number}: {error}") from None


def is_cut_short(path: Path) -> bool:
    """Whether a JSON Lines file ends within a line, which `read_rows` passes over: its writer was interrupted."""
    if path.suffix == ".gz":
        return False
    with path.open("rb") as file:
        last = b"\n"
        for line in file:
            last = line
    try:
        return not last.endswith(b"\n") and bool(last.strip()) and json.loads(last) is None
    except (ValueError, RecursionError):
        return True


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows to a new file at once: no reader sees a half."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def remove_leftovers(folder: Path) -> bool:
    """Remove what killed processes left of `replacing` below a folder; return whether nothing else is there."""
    for path in folder.rglob(".*.tmp"):
        if _LEFTOVER.fullmatch(path.name):
            path.unlink(missing_ok=True)
    return not folder.exists() or not any(folder.iterdir())


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Give a temporary name to write to, which becomes the file once that has gone well; folders are made.

    Args:
        path: the file.
        durable: whether it is to be on the disk by then; not needed for what is checked before it is used.

    Raises:
        OSError: it cannot be written; it names the file, which the system does not where a disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        if durable:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
