"""Rows of Parquet files, by the column names of The Stack and of our own documents: texts go from Arrow to Arrow."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabwright.corpus.batch import SCHEMA, SLICE_BYTES, SourceFile, slices
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.sources.rows import NAMES, NO_TEXT, fact
from tabwright.corpus.sources.source import Entry, too_large

_MOST_ROWS = 10_000


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
        with self._open() as file:
            if not set(NAMES["text"]) & set(file.schema_arrow.names):
                raise CorpusError(f"{self._path}: has no column of texts; name one {' or '.join(NAMES['text'])}")
            for group in range(file.num_row_groups):
                yield from itertools.repeat(_mean(file, group), file.metadata.row_group(group).num_rows)

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
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from None

    def _open(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(self._path)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from None

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
    columns = [rows.column(column).to_pylist() for column in NAMES[name] if column in rows.schema.names]
    return [fact(found) for found in zip(*columns, strict=True)] if columns else [""] * len(rows)


def _texts(rows: pa.RecordBatch) -> pa.Array:
    """Return the texts of some rows: of several columns the first that is not empty; null where there is none."""
    columns = [_binary(rows.column(name)) for name in NAMES["text"] if name in rows.schema.names]
    found = columns[0]
    for other in columns[1:]:
        is_there = pc.greater(pc.fill_null(pc.binary_length(found), 0), 0)
        found = pc.if_else(is_there, found, pc.coalesce(other, found))
    return found


def _binary(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        return column.cast(pa.large_binary())  # which needs no decoding
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.nulls(len(column), pa.large_binary())
