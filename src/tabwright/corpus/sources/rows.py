"""Rows of JSON Lines files, by the column names of The Stack and of our own documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tabwright.corpus.batch import SourceFile
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.sources.source import Entry, state_of, too_large
from tabwright.records import RecordError, read_rows

# What each of a document's facts is called in the files that people have, the first that is there.
NAMES = {
    "text": ("text", "content"),
    "path": ("path", "max_stars_repo_path", "file_path"),
    "repository": ("repository", "max_stars_repo_name", "repo_name", "repo"),
    "revision": ("revision", "max_stars_repo_head_hexsha", "commit_id"),
    "licence": ("licence", "max_stars_repo_licenses", "license", "licenses"),
}
NO_TEXT = "has no text"


class RowsSource:
    """The rows of one file.

    Args:
        path: a `.jsonl` or `.jsonl.gz` file.
        max_bytes: longer texts are listed and not read.

    Raises:
        CorpusError: the file is damaged.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = path, max_bytes
        self.state = state_of(path)

    def entries(self) -> list[Entry]:
        """List the rows by number, with their sizes."""
        listed = enumerate(self._rows())
        return [Entry(_fact(row, "path") or str(number), len(_text(row) or b""), str(number)) for number, row in listed]

    def read(self, entries: Sequence[Entry]) -> Iterator[SourceFile]:
        """Read some rows, which must be in the file's order."""
        first = int(entries[0].key) if entries else 0
        rows = enumerate(self._rows(first), start=first)
        for entry in entries:
            row = next(row for number, row in rows if number == int(entry.key))
            text = _text(row)
            problem = NO_TEXT if text is None else too_large(len(text), self._max_bytes)
            yield SourceFile(
                repository=_fact(row, "repository"), revision=_fact(row, "revision"), licence=_fact(row, "licence"),
                path=entry.path, text=b"" if problem or text is None else text, problem=problem,
            )  # fmt: skip

    def _rows(self, skip: int = 0) -> Iterator[dict[str, Any]]:
        try:
            yield from read_rows(self._path, skip=skip)
        except OSError as error:
            raise CorpusError(f"{self._path}: cannot be read: {str(error).splitlines()[0]}") from None
        except RecordError as error:
            raise CorpusError(str(error)) from None


def fact(found: Iterable[Any]) -> str:
    """Return what a document's columns for one fact hold: the first value that is not empty, as a string."""
    return next(filter(None, map(_string, found)), "")


def _fact(row: Mapping[str, Any], name: str) -> str:
    return fact(row.get(column) for column in NAMES[name])


def _string(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list):  # of licences that were found: all of them may hold
        found = [str(each) for each in value if each]
        return " AND ".join(f"({each})" if " " in each else each for each in found)
    return str(value or "")


def _text(row: Mapping[str, Any]) -> bytes | None:
    found = [row[column] for column in NAMES["text"] if isinstance(row.get(column), str)]
    text = next(filter(None, found), found[0] if found else None)
    return None if text is None else text.encode(errors="surrogatepass")
