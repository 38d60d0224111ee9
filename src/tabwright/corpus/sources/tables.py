"""Rows of Parquet or JSON Lines files, by the column names of The Stack and of our own documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
        CorpusError: the file is damaged, or no column of it holds texts.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = path, max_bytes

    def entries(self) -> list[Entry]:
        """List the rows by number."""
        listed = []
        for number, row in enumerate(self._rows()):
            text = _text(row)
            size = len(text or b"")
            problem = "has no text" if text is None else too_large(size, self._max_bytes)
            listed.append(Entry(_fact(row, "path") or str(number), size, str(number), problem))
        return listed

    def read(self, entries: Sequence[Entry]) -> Iterator[SourceFile]:
        """Read some rows, which must be in the file's order."""
        first = int(entries[0].key) if entries else 0
        rows = enumerate(self._rows(first), start=first)
        for entry in entries:
            row = next(row for number, row in rows if number == int(entry.key))
            text = b"" if entry.problem else _text(row) or b""
            yield SourceFile(
                repository=_fact(row, "repository"), revision=_fact(row, "revision"), path=entry.path,
                licence=_fact(row, "licence"), text=text, problem=entry.problem,
            )  # fmt: skip

    def _rows(self, first: int = 0) -> Iterator[Mapping[str, Any]]:
        """Yield the rows from one on; those before it are passed over unread."""
        try:
            if self._path.suffix == ".parquet":
                with pq.ParquetFile(self._path) as file:
                    wanted = [name for names in _NAMES.values() for name in names if name in file.schema_arrow.names]
                    for group in range(file.num_row_groups):
                        n_rows = file.metadata.row_group(group).num_rows
                        if first >= n_rows:
                            first -= n_rows
                            continue
                        for batch in file.iter_batches(_ROWS, row_groups=[group], columns=wanted):
                            columns = map(_values, batch.slice(min(first, len(batch))).columns)
                            yield from (dict(zip(wanted, row, strict=True)) for row in zip(*columns, strict=True))
                            first = max(first - len(batch), 0)
            else:
                yield from read_rows(self._path, skip=first)
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(f"{self._path}: cannot be read: {str(error).splitlines()[0]}") from None
        except RecordError as error:
            raise CorpusError(str(error)) from None


def _values(column: pa.Array) -> list[Any]:
    """Return a column's values; strings as the bytes that they are stored as, which needs no decoding."""
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return (column.cast(pa.large_binary()) if is_text else column).to_pylist()  # type: ignore[no-any-return]


def _text(row: Mapping[str, Any]) -> bytes | None:
    found = next((row[name] for name in _NAMES["text"] if row.get(name) is not None), None)
    if isinstance(found, str):
        return found.encode(errors="surrogatepass")
    return found if isinstance(found, bytes) else None


def _fact(row: Mapping[str, Any], fact: str) -> str:
    found = next((row[name] for name in _NAMES[fact] if row.get(name)), "")
    if isinstance(found, bytes):
        return found.decode(errors="replace")
    return " OR ".join(map(str, found)) if isinstance(found, list) else str(found)
