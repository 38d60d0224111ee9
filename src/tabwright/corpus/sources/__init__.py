"""Where files come from: folders, git repositories, archives, tables. Each lists its entries, and reads some."""

from __future__ import annotations

from pathlib import Path

from tabwright.corpus.errors import CorpusError
from tabwright.corpus.sources.archive import ArchiveSource
from tabwright.corpus.sources.folder import FolderSource
from tabwright.corpus.sources.git import GitSource, is_repository
from tabwright.corpus.sources.source import Entry, Source
from tabwright.corpus.sources.tables import TableSource

__all__ = ["Entry", "Source", "open_source"]


def open_source(place: str, max_bytes: int) -> Source:
    """Return the source at a place.

    Args:
        place: a folder, a git repository (`PATH` or `PATH@REVISION`), an archive, a Parquet or a JSON Lines file.
        max_bytes: larger files are listed and not read.

    Raises:
        CorpusError: there is nothing, or nothing that can be read.
    """
    path, revision = Path(place).expanduser(), ""
    if not path.exists() and "@" in place:
        name, revision = place.rsplit("@", 1)
        path = Path(name).expanduser()
    if path.is_dir():
        if is_repository(path):
            return GitSource(path, revision, max_bytes)
        if revision:
            raise CorpusError(f"{place}: is no git repository, and has no revisions")
        return FolderSource(path, max_bytes)
    if not path.is_file():
        raise CorpusError(f"{place}: no such file or folder")
    if path.name.endswith((".parquet", ".jsonl", ".jsonl.gz")):
        return TableSource(path, max_bytes)
    return ArchiveSource(path, max_bytes)
