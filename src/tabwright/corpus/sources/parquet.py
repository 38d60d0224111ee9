"""Rows of Parquet files, by the column names of The Stack and of our own documents: texts go from Arrow to Arrow."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabwright.corpus.batch import SCHEMA, SLICE_BYTES, SourceFile, slices
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.sources.rows import NAMES, NO_TEXT, fact
from tabwright.corpus.sources.source import Entry, state_of, too_large

_MOST_ROWS = 10_000
_ERRORS = (pa.ArrowException, OSError, UnicodeDecodeError)  # the last one of names in a damaged file's head


class ParquetSource:
    """The rows of one file.

    Args:
        path: the file.
        max_bytes: longer texts are listed and not read.

    Raises:
        CorpusError: the file is damaged, or without a column of texts.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = path, max_bytes
        self.state = state_of(path)

    def entries(self) -> list[Entry]:
        """List the rows by number, each with the mean size of its row group's texts, as Parquet tells no other."""
        sizes = self._means()
        paths = itertools.chain.from_iterable(_facts(batch, "path") for batch in self._batches(NAMES["path"]))
        return [
            Entry(path or str(number), size, str(number))
            for number, (path, size) in enumerate(zip(paths, sizes, strict=True))
        ]

    def read(self, entries: Sequence[Entry]) -> Iterator[SourceFile]:
        """Read some rows, which must be in the file's order."""
        names = ("repository", "revision", "path", "licence", "text", "dropped")
        for table in self.tables(entries):
            for row in table.select(names).to_pylist():
                yield SourceFile(problem=row.pop("dropped"), **row)

    def tables(self, entries: Sequence[Entry]) -> Iterator[pa.Table]:
        """Read some rows, which must be in the file's order, as tables of some megabytes."""
        if not entries:
            return
        numbers = np.array([int(entry.key) for entry in entries])
        names = {name for fact, its in NAMES.items() if fact != "path" for name in its}
        done, begin = 0, int(numbers[0])
        for batch in self._batches(names, begin):
            end = begin + len(batch)
            n = int(np.searchsorted(numbers[done:], end))
            rows = batch.take(pa.array(numbers[done : done + n] - begin)) if n < len(batch) else batch
            yield from slices(self._table(rows, entries[done : done + n]))
            done, begin = done + n, end
            if done == len(numbers):
                return

    def _table(self, rows: pa.RecordBatch, entries: Sequence[Entry]) -> pa.Table:
        texts = _texts(rows)
        sizes = pc.binary_length(texts)
        problems = [NO_TEXT if size is None else too_large(size, self._max_bytes) for size in sizes.to_pylist()]
        if any(problems):
            texts = pc.if_else(
                pa.array([bool(problem) for problem in problems]), pa.scalar(b"", pa.large_binary()), texts
            )
        columns = {
            **{name: _facts(rows, name) for name in ("repository", "revision", "licence")},
            "path": [entry.path for entry in entries],
            "language": [""] * len(rows),
            "text": texts,
            "changes": [[]] * len(rows),
            "dropped": problems,
        }
        return pa.table({name: columns[name] for name in SCHEMA.names}, schema=SCHEMA)

    def _means(self) -> Iterator[int]:
        """Yield for each row how large a text of its row group is on average."""
        try:
            with self._open() as file:
                for group in range(file.num_row_groups):
                    yield from itertools.repeat(_mean(file, group), file.metadata.row_group(group).num_rows)
        except _ERRORS as error:
            raise self._unreadable(error) from None

    def _batches(self, names: Collection[str], first: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield some columns of the rows, from one row on: about as many as make a slice."""
        try:
            with self._open() as file:
                columns = [name for name in file.schema_arrow.names if name in names]
                for group in range(file.num_row_groups):
                    n_rows = file.metadata.row_group(group).num_rows
                    if first >= n_rows:
                        first -= n_rows
                        continue
                    at_once = min(max(SLICE_BYTES // max(_mean(file, group), 1), 1), _MOST_ROWS)
                    for batch in file.iter_batches(at_once, row_groups=[group], columns=columns):
                        yield batch.slice(min(first, len(batch)))
                        first = max(first - len(batch), 0)
        except _ERRORS as error:
            raise self._unreadable(error) from None

    def _open(self) -> pq.ParquetFile:
        try:
            file = pq.ParquetFile(self._path)
        except _ERRORS as error:
            raise self._unreadable(error) from None
        schema = file.schema_arrow
        if not any(_holds_texts(field) for field in schema if field.name in NAMES["text"]):
            raise CorpusError(f"{self._path}: has no column of texts; name one {' or '.join(NAMES['text'])}")
        for name in itertools.chain(*NAMES.values()):
            if schema.names.count(name) > 1:
                raise CorpusError(f"{self._path}: has several columns {name!r}; leave one")
        return file

    def _unreadable(self, error: Exception) -> CorpusError:
        return CorpusError(f"{self._path}: cannot be read: {str(error).splitlines()[0]}")


def _mean(file: pq.ParquetFile, group: int) -> int:
    """Return how large a text of a row group is on average."""
    metadata = file.metadata.row_group(group)
    columns = map(metadata.column, range(metadata.num_columns))
    size = sum(its.total_uncompressed_size for its in columns if its.path_in_schema in NAMES["text"])
    return int(size // max(metadata.num_rows, 1))


def _facts(rows: pa.RecordBatch, name: str) -> list[str]:
    """Return a fact of each of some rows."""
    columns = [_values(rows.column(column)) for column in NAMES[name] if column in rows.schema.names]
    if len(columns) == 1 and set(map(type, columns[0])) == {str}:
        return columns[0]
    return [fact(found) for found in zip(*columns, strict=True)] if columns else [""] * len(rows)


def _values(column: pa.Array) -> list[Any]:
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return column.cast(pa.large_binary()).to_pylist()  # type: ignore[no-any-return]
        return ["\ufffd"] * len(column)  # a list of licences of which one is no text: none that is known


def _holds_texts(field: pa.Field) -> bool:
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(is_kind(kind) for is_kind in kinds)


def _texts(rows: pa.RecordBatch) -> pa.Array:
    """Return the texts of some rows: of several columns the first that is not empty; null where there is none."""
    fields = (field for field in rows.schema if field.name in NAMES["text"] and _holds_texts(field))
    columns = [
        _binary(rows.column(field.name)) for field in sorted(fields, key=lambda it: NAMES["text"].index(it.name))
    ]
    found = columns[0]
    for other in columns[1:]:
        is_there = pc.greater(pc.fill_null(pc.binary_length(found), 0), 0)
        found = pc.if_else(is_there, found, pc.coalesce(other, found))
    return found


def _binary(column: pa.Array) -> pa.Array:
    plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
    return plain.cast(pa.large_binary())  # which needs no decoding
