"""Rows of Parquet or JSON Lines files, by the column names of The Stack and of our own documents."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabwright.corpus.batch import SourceFile
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.sources.source import Entry, too_large
from tabwright.records import RecordError, read_rows

# What each of a document's facts is called in the files that people have, the first that is there.
_NAMES = {
    "text": ("text", "content"),
    "size": ("text", "content"),
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
        CorpusError: the file is damaged, or no column of it holds texts.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = path, max_bytes

    def entries(self) -> list[Entry]:
        """List the rows by number."""
        listed = []
        for number, (size, path) in enumerate(self._rows(("size", "path"))):
            problem = "has no text" if size is None else too_large(size, self._max_bytes)
            listed.append(Entry(path or str(number), size or 0, str(number), problem))
        return listed

    def read(self, entries: Sequence[Entry]) -> Iterator[SourceFile]:
        """Read some rows, which must be in the file's order."""
        first = int(entries[0].key) if entries else 0
        rows = enumerate(self._rows(("text", "repository", "revision", "licence"), first), start=first)
        for entry in entries:
            text, repository, revision, licence = next(row for number, row in rows if number == int(entry.key))
            yield SourceFile(
                repository=repository, revision=revision, path=entry.path, licence=licence,
                text=b"" if entry.problem else text or b"", problem=entry.problem,
            )  # fmt: skip

    def _rows(self, facts: Sequence[str], first: int = 0) -> Iterator[Sequence[Any]]:
        """Yield facts of the rows from one on; those before it are passed over unread."""
        try:
            if self._path.suffix == ".parquet":
                for batch in self._batches({name for fact in facts for name in _NAMES[fact]}, first):
                    yield from zip(*(_column(batch, fact) for fact in facts), strict=True)
            else:
                for row in read_rows(self._path, skip=first):
                    yield [_first([_value(fact, row.get(name)) for name in _NAMES[fact]]) for fact in facts]
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{self._path}: cannot be read: {str(error).splitlines()[0]}") from None
        except RecordError as error:
            raise CorpusError(str(error)) from None

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
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        if fact == "size":
            return pc.binary_length(column).to_pylist()  # type: ignore[no-any-return]
        column = column.cast(pa.large_binary())  # which needs no decoding
    return [_value(fact, value) for value in column.to_pylist()]


def _value(fact: str, value: Any) -> Any:
    """Return what a file has for a fact: a text as bytes, or its size, or None; any other fact as a string."""
    if fact in ("text", "size"):
        text = value.encode(errors="surrogatepass") if isinstance(value, str) else value
        if not isinstance(text, bytes):
            return None
        return text if fact == "text" else len(text)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return " OR ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _first(found: Sequence[Any]) -> Any:
    """Return the first of several values that is not empty."""
    return next(filter(None, found), found[0])
