"""Rows of Parquet or JSON Lines files, by the column names of The Stack and of our own documents."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tabwright.corpus.batch import SourceFile
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.sources.source import Entry, too_large
from tabwright.records import RecordError, read_rows

# What each of a document's facts is called in the files that people have, the first that is there.
_NAMES = {
    "text": ("text", "content"),
    "path": ("path", "max_stars_repo_path", "file_path"),
    "repository": ("repository", "max_stars_repo_name", "repo_name", "repo"),
    "revision": ("revision", "max_stars_repo_head_hexsha", "commit_id"),
    "licence": ("licence", "max_stars_repo_licenses", "license", "licenses"),
}
_ROWS = 1000


class TableSource:
    """The rows of one file.

    Args:
        path: a `.parquet`, `.jsonl` or `.jsonl.gz` file.
        max_bytes: longer texts are listed and not read.

    Raises:
        CorpusError: the file is damaged, or is Parquet without a column of texts.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = path, max_bytes
        self._is_parquet = path.suffix == ".parquet"

    def entries(self) -> list[Entry]:
        """List the rows by number, with their sizes; in Parquet, which does not tell these, with their mean."""
        listed: Iterable[tuple[str, int]]
        if self._is_parquet:
            listed = zip((path for (path,) in self._rows(("path",))), self._means(), strict=True)
        else:
            listed = ((path, len(text or b"")) for path, text in self._rows(("path", "text")))
        return [Entry(path or str(number), size, str(number)) for number, (path, size) in enumerate(listed)]

    def read(self, entries: Sequence[Entry]) -> Iterator[SourceFile]:
        """Read some rows, which must be in the file's order."""
        first = int(entries[0].key) if entries else 0
        rows = enumerate(self._rows(("text", "repository", "revision", "licence"), first), start=first)
        for entry in entries:
            text, repository, revision, licence = next(row for number, row in rows if number == int(entry.key))
            problem = "has no text" if text is None else too_large(len(text), self._max_bytes)
            yield SourceFile(
                repository=repository, revision=revision, path=entry.path, licence=licence,
                text=b"" if problem else text, problem=problem,
            )  # fmt: skip

    def _rows(self, facts: Sequence[str], first: int = 0) -> Iterator[Sequence[Any]]:
        """Yield facts of the rows from one on; those before it are passed over unread."""
        try:
            if self._is_parquet:
                for batch in self._batches({name for fact in facts for name in _NAMES[fact]}, first):
                    yield from zip(*(_column(batch, fact) for fact in facts), strict=True)
            else:
                for row in read_rows(self._path, skip=first):
                    yield [_first([_value(fact, row.get(name)) for name in _NAMES[fact]]) for fact in facts]
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{self._path}: cannot be read: {str(error).splitlines()[0]}") from None
        except RecordError as error:
            raise CorpusError(str(error)) from None

    def _means(self) -> Iterator[int]:
        """Yield for each row of a Parquet file how large a text of its row group is on average."""
        with pq.ParquetFile(self._path) as file:
            if not set(_NAMES["text"]) & set(file.schema_arrow.names):
                raise CorpusError(f"{self._path}: has no column of texts; name one {' or '.join(_NAMES['text'])}")
            for group in map(file.metadata.row_group, range(file.num_row_groups)):
                columns = map(group.column, range(group.num_columns))
                size = sum(its.total_uncompressed_size for its in columns if its.path_in_schema in _NAMES["text"])
                yield from itertools.repeat(size // max(group.num_rows, 1), group.num_rows)

    def _batches(self, names: Collection[str], first: int) -> Iterator[pa.RecordBatch]:
        """Yield some columns of a Parquet file's rows, from one row on."""
        with pq.ParquetFile(self._path) as file:
            columns = [name for name in file.schema_arrow.names if name in names]
            for group in range(file.num_row_groups):
                n_rows = file.metadata.row_group(group).num_rows
                if first >= n_rows:
                    first -= n_rows
                    continue
                for batch in file.iter_batches(_ROWS, row_groups=[group], columns=columns):
                    yield batch.slice(min(first, len(batch)))
                    first = max(first - len(batch), 0)


def _column(batch: pa.RecordBatch, fact: str) -> list[Any]:
    """Return a fact of each of some rows."""
    columns = [_values(batch.column(name), fact) for name in _NAMES[fact] if name in batch.schema.names]
    return [_first(found) for found in zip(*columns, strict=True)] if columns else [_value(fact, None)] * len(batch)


def _values(column: pa.Array, fact: str) -> list[Any]:
    if fact == "text" and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = column.cast(pa.large_binary())  # which needs no decoding
    return [_value(fact, value) for value in column.to_pylist()]


def _value(fact: str, value: Any) -> Any:
    """Return what a file has for a fact: a text as bytes, or None; any other fact as a string."""
    if fact == "text":
        text = value.encode(errors="surrogatepass") if isinstance(value, str) else value
        return text if isinstance(text, bytes) else None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return " OR ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _first(found: Sequence[Any]) -> Any:
    """Return the first of several values that is not empty."""
    return next(filter(None, found), found[0])
