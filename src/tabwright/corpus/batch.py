"""Files as Arrow tables: what every rule takes and gives, and its columns as arrays without a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tabwright.corpus.duplicates.words import Places, Words, words_of

# What is computed of so much stays in the processor's cache, and memory that is freed is used again.
SLICE_BYTES = 8_000_000

Rule = Callable[[pa.Table], pa.Table]

SCHEMA = pa.schema(
    [
        ("repository", pa.string()),
        ("revision", pa.string()),
        ("path", pa.string()),
        ("licence", pa.string()),
        ("language", pa.string()),
        ("text", pa.large_binary()),
        ("changes", pa.list_(pa.string())),
        ("dropped", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """One file as a source gave it.

    Attributes:
        problem: why it could not be read, or is not to be; empty for what was read.
    """

    repository: str
    path: str
    text: bytes = b""
    revision: str = ""
    licence: str = ""
    problem: str = ""


def table_of(files: Sequence[SourceFile]) -> pa.Table:
    """Return files as a table; what has a problem is dropped for it."""
    columns: dict[str, Sequence[Any]] = {
        "repository": [file.repository for file in files],
        "revision": [file.revision for file in files],
        "path": [file.path for file in files],
        "licence": [file.licence for file in files],
        "language": [""] * len(files),
        "text": [file.text for file in files],
        "changes": [[]] * len(files),
        "dropped": [file.problem for file in files],
    }
    return pa.table({name: strings(column) for name, column in columns.items()}, schema=SCHEMA)


def strings(column: Sequence[Any]) -> Sequence[Any]:
    """Return a column whose strings can be written: what stands for bytes that are no text is replaced."""
    try:
        for value in column:
            if isinstance(value, str):
                value.encode()
    except UnicodeEncodeError:
        return [_text_of(value) if isinstance(value, str) else value for value in column]
    return column


def _text_of(value: str) -> str:
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def tables_of(files: Iterable[SourceFile]) -> Iterator[pa.Table]:
    """Yield files as tables of some megabytes, reading no further than that."""
    group: list[SourceFile] = []
    size = 0
    for file in files:
        group.append(file)
        size += len(file.text)
        if size >= SLICE_BYTES:
            yield table_of(group)
            group, size = [], 0
    if group:
        yield table_of(group)


def slices(table: pa.Table) -> list[pa.Table]:
    """Return a table as slices of some megabytes, at least one, within its own chunks; nothing is copied."""
    # `pa.table(batch)` would keep all columns in memory as long as any of them.
    tables = (pa.Table.from_batches([batch]) for batch in table.to_batches())
    return [part for each in tables for part in _slices(each)] or [table]


def _slices(table: pa.Table) -> Iterator[pa.Table]:
    ends = np.cumsum(pc.binary_length(table.column("text")).to_numpy())
    steps = np.flatnonzero(np.diff(ends // SLICE_BYTES)) + 1
    for start, stop in pairwise([0, *steps.tolist(), len(table)]):
        yield table.slice(start, stop - start)


def texts(table: pa.Table) -> tuple[npt.NDArray[np.uint8], Places]:
    """Return all texts one after another, and where each begins and the last one ends; a copy if it has chunks."""
    return _arrays(_joined(table.column("text")))


def _joined(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays([pa.array([], column.type), *column.chunks])


def _arrays(texts: pa.Array) -> tuple[npt.NDArray[np.uint8], Places]:
    _, offsets, data = texts.buffers()
    begins = np.frombuffer(offsets, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    if data is None or not len(texts):
        return np.zeros(0, np.uint8), np.zeros(len(texts) + 1, np.int64)
    return np.frombuffer(data, dtype=np.uint8)[begins[0] : begins[-1]], begins - begins[0]


def views(table: pa.Table) -> list[memoryview]:
    """Return each text, without a copy."""
    found = []
    for part in slices(table):
        joined, offsets = texts(part)
        data = joined.data
        found += [data[start:stop] for start, stop in pairwise(offsets.tolist())]
    return found


def words(table: pa.Table) -> Words:
    """Return the words of all texts. Those of the last texts are remembered, as several steps ask for them."""
    joined = _joined(table.column("text"))
    buffers = tuple(buffer.address if buffer else 0 for buffer in joined.buffers())
    return _words(_Texts(buffers, joined.offset, len(joined), joined))


@dataclass(frozen=True, slots=True)
class _Texts:
    """Where texts are in memory. As long as there is one of these, nothing else is there."""

    buffers: tuple[int, ...]
    offset: int
    length: int
    array: pa.Array = field(compare=False)


@lru_cache(maxsize=1)
def _words(where: _Texts) -> Words:
    return words_of(*_arrays(where.array))


def values(table: pa.Table, column: str) -> list[str]:
    """Return a column of strings."""
    return table.column(column).to_pylist()  # type: ignore[no-any-return]


def drop(table: pa.Table, dropped: npt.NDArray[np.bool_], reasons: Sequence[str]) -> pa.Table:
    """Return the table with some rows marked as dropped; a reason for each of those, in their order."""
    whole = np.full(len(table), "", dtype=object)
    whole[dropped] = reasons
    return put(table, "dropped", pa.array(whole, pa.string()))


def put(table: pa.Table, column: str, array: pa.Array) -> pa.Table:
    """Return the table with one column replaced."""
    at = table.schema.get_field_index(column)
    return table.set_column(at, table.schema.field(at), array)
