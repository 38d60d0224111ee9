"""A folder of files. Links are not followed, and nothing but ordinary files is opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from tabwright.corpus.batch import SourceFile
from tabwright.corpus.sources.licensing import Named
from tabwright.corpus.sources.source import Entry, too_large


class FolderSource:
    """The files below a folder, but for version control's own.

    Args:
        root: the folder.
        max_bytes: larger files are listed and not read.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root, self._max_bytes = root, max_bytes
        self._named: Named | None = None

    state = ""  # its files may change while it is read

    def entries(self) -> list[Entry]:
        """List every file below the folder, sorted by path."""
        found: list[Entry] = []
        folders = [(self._root, "")]
        while folders:
            folder, prefix = folders.pop()
            try:
                items = list(os.scandir(folder))
            except OSError as error:
                found.append(Entry(prefix or ".", 0, problem=f"cannot be read: {error.strerror}"))
                continue
            for item in items:
                mode = item.stat(follow_symlinks=False)
                path = f"{prefix}{_shown(item.name)}"
                if not stat.S_ISDIR(mode.st_mode):
                    found.append(self._entry(path, mode))
                elif item.name not in (".git", ".hg", ".svn"):
                    folders.append((folder / item.name, f"{path}/"))
        return sorted(found, key=lambda entry: entry.path)

    def read(self, entries: Sequence[Entry]) -> Iterator[SourceFile]:
        """Read some files."""
        if self._named is None:
            tops = [Entry(item.name, 0) for item in self._tops()]
            self._named = Named.of(self._root.resolve().name, "", tops, lambda entry: self._content(entry.path)[0])
        for entry in entries:
            text, problem = (b"", entry.problem) if entry.problem else self._content(entry.path)
            yield self._named.file(entry.path, text, problem)

    def _tops(self) -> list[Path]:
        try:
            return [item for item in sorted(self._root.iterdir()) if item.is_file()]
        except OSError:
            return []

    def _entry(self, path: str, mode: os.stat_result) -> Entry:
        if not stat.S_ISREG(mode.st_mode):
            return Entry(path, 0, problem="a link" if stat.S_ISLNK(mode.st_mode) else "no ordinary file")
        named = "" if path.isprintable() and "\ufffd" not in path else "its name is no text"
        return Entry(path, mode.st_size, problem=named or too_large(mode.st_size, self._max_bytes))

    def _content(self, path: str) -> tuple[bytes, str]:
        try:
            # What was an ordinary file when it was listed may be another thing by now.
            handle = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                if not stat.S_ISREG(os.fstat(handle).st_mode):
                    return b"", "no ordinary file"
                text = file.read(self._max_bytes + 1)
        except OSError as error:
            return b"", f"cannot be read: {error.strerror}"
        return (b"", f"more than {self._max_bytes} bytes") if len(text) > self._max_bytes else (text, "")


def _shown(name: str) -> str:
    """Return a name whose bytes may be no text as one that is printed."""
    return name.encode(errors="surrogateescape").decode(errors="replace")
