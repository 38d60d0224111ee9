"""What every source is: a list of entries, cheap to make and always in the same order, and their contents on demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from tabwright.corpus.batch import SourceFile


class Entry(NamedTuple):
    """One file of a source, not read yet.

    Attributes:
        path: within the source.
        size_bytes: as listed, from which partitions are planned; what is read may differ.
        key: how the source finds it again.
        problem: why it will not be read; empty for what will.
    """

    path: str
    size_bytes: int
    key: str = ""
    problem: str = ""


class Source(Protocol):
    """A place that files come from."""

    @property
    def state(self) -> str:
        """Equal as long as the entries are; empty for what has no state that can be told."""
        ...

    def entries(self) -> list[Entry]:
        """List what there is, in an order of its own that never changes."""
        ...

    def read(self, entries: Sequence[Entry]) -> Iterator[SourceFile]:
        """Read some entries, in their order; one that cannot be read any more has a problem instead of a text."""
        ...


def too_large(size_bytes: int, max_bytes: int) -> str:
    """Return why a file of this size is not read; empty where it is."""
    return f"{size_bytes} bytes" if size_bytes > max_bytes else ""


def state_of(path: Path) -> str:
    """Return what changes with a file."""
    found = path.stat()
    return f"{found.st_size} bytes, {found.st_mtime_ns}"
