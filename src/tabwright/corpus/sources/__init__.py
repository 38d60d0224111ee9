"""Where files come from: folders, git repositories, archives, tables. Each lists its entries, and reads some."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from tabwright.corpus.batch import tables_of
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.sources.archive import ArchiveSource
from tabwright.corpus.sources.folder import FolderSource
from tabwright.corpus.sources.git import GitSource, git_directory
from tabwright.corpus.sources.parquet import ParquetSource
from tabwright.corpus.sources.rows import RowsSource
from tabwright.corpus.sources.source import Entry, Source

__all__ = ["Entry", "Source", "open_source", "read_tables"]


def open_source(place: str, max_bytes: int, state: str = "") -> Source:
    """Return the source at a place.

    Args:
        place: a folder, a git repository (`PATH` or `PATH@REVISION`), an archive, a Parquet or a JSON Lines file.
        max_bytes: larger files are listed and not read.
        state: of the source when it was listed, which it must still have; a repository is read at that commit.

    Raises:
        CorpusError: there is nothing, or nothing that can be read, or another thing than was listed.
    """
    source = _open(place, max_bytes, state)
    if state and source.state != state:
        raise CorpusError(f"{place}: has changed since it was listed; remove what is built of it and build it again")
    return source


def _open(place: str, max_bytes: int, state: str) -> Source:
    path, revision = Path(place).expanduser(), ""
    if not path.exists() and "@" in place:
        name, revision = place.rsplit("@", 1)
        path = Path(name).expanduser()
    if path.is_dir():
        if git_directory(path):
            return GitSource(path, state or revision, max_bytes)
        if revision:
            raise CorpusError(f"{place}: is no git repository, and has no revisions")
        return FolderSource(path, max_bytes)
    if not path.is_file():
        raise CorpusError(f"{place}: no such file or folder")
    if path.suffix == ".parquet":
        return ParquetSource(path, max_bytes)
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        return RowsSource(path, max_bytes)
    return ArchiveSource(path, max_bytes)


def read_tables(chosen: Iterable[tuple[Source, Sequence[Entry]]]) -> Iterator[pa.Table]:
    """Read entries of some sources, one source after the other, as tables of some megabytes."""
    for are_tables, group in itertools.groupby(chosen, lambda each: isinstance(each[0], ParquetSource)):
        if are_tables:
            yield from _tables(group)
        else:
            yield from tables_of(file for source, entries in group for file in source.read(entries))


def _tables(chosen: Iterable[tuple[Source, Sequence[Entry]]]) -> Iterator[pa.Table]:
    for source, entries in chosen:
        if isinstance(source, ParquetSource):
            yield from source.tables(entries)
