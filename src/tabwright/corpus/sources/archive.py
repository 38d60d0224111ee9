"""A tarball or zip file, which is what a source distribution on PyPI is: read as a stream, never unpacked to disk."""

from __future__ import annotations

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import IO

from tabwright.corpus.batch import SourceFile
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.sources.licensing import Named
from tabwright.corpus.sources.source import Entry, state_of, too_large

_ERRORS = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError,
    struct.error,
)  # fmt: skip
_DAMAGED = "cannot be read: the archive is damaged"
# An archive that holds more than this for each of its bytes was made to fill a disk; source code shrinks to a fifth.
_MOST_RATIO, _ALLOWED_BYTES = 200, 1 << 30
_CHUNK = 1 << 20


class ArchiveSource:
    """The files of an archive.

    Args:
        path: a `.tar`, `.tar.gz`, `.tar.bz2`, `.tar.xz` or `.zip` file.
        max_bytes: larger files are listed and not read.

    Raises:
        CorpusError: it is no such archive.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path, self._max_bytes = path, max_bytes
        self._is_zip = zipfile.is_zipfile(path)
        if not self._is_zip and not _is_tarball(path):
            raise CorpusError(f"{path}: is no tarball and no zip file, or cut short at its beginning")
        self.state = state_of(path)
        self._listed: list[Entry] | None = None

    def entries(self) -> list[Entry]:
        """List the archive's files in its own order; where it is damaged, what stands before the damage."""
        if self._listed is None:
            found: list[Entry] = []
            try:
                for entry, _ in self._members():
                    found.append(entry)
            except _ERRORS as error:
                found.append(Entry(self._path.name, 0, problem=f"the archive ends here: {error}"))
            self._listed = found
        return self._listed

    def read(self, entries: Sequence[Entry]) -> Iterator[SourceFile]:
        """Read some files in one pass."""
        top, tops = self._top()
        named = Named.of(_name(self._path), "", [Entry(path, 0, key) for path, key in tops], self._text_of)
        wanted = {entry.key for entry in entries if not entry.problem}
        texts = self._texts(wanted) if wanted else {}
        for entry in entries:
            problem = entry.problem or ("" if entry.key in texts else _DAMAGED)
            yield named.file(entry.path.removeprefix(top), texts.get(entry.key, b""), problem)

    def _texts(self, wanted: set[str]) -> dict[str, bytes]:
        texts: dict[str, bytes] = {}
        try:
            for entry, file in self._members():
                if entry.key in wanted and file is not None:
                    try:
                        texts[entry.key] = file.read(self._max_bytes + 1)[: self._max_bytes]
                    except _ERRORS:
                        if not self._is_zip:  # what follows in a stream cannot be found
                            break
                if len(texts) == len(wanted):
                    break
        except _ERRORS:
            pass
        return texts

    def _text_of(self, entry: Entry) -> bytes:
        return self._texts({entry.key}).get(entry.key, b"")

    def _top(self) -> tuple[str, list[tuple[str, str]]]:
        """Return the one folder that holds all (as source distributions have it), and the files right in it."""
        listed = [entry for entry in self.entries() if entry.key]
        firsts = {entry.path.split("/")[0] for entry in listed if "/" in entry.path}
        bare = any("/" not in entry.path for entry in listed)
        top = f"{firsts.pop()}/" if len(firsts) == 1 and not bare else ""
        inside = [(entry.path.removeprefix(top), entry.key) for entry in listed]
        return top, [(path, key) for path, key in inside if "/" not in path]

    def _members(self) -> Iterator[tuple[Entry, IO[bytes] | None]]:
        """Yield the entries, each with its open file while it is the one at hand."""
        return self._zip_members() if self._is_zip else self._tar_members()

    def _zip_members(self) -> Iterator[tuple[Entry, IO[bytes] | None]]:
        with zipfile.ZipFile(self._path) as archive:
            for number, member in enumerate(archive.infolist()):
                if member.is_dir():
                    continue
                problem = "encrypted" if member.flag_bits & 1 else too_large(member.file_size, self._max_bytes)
                try:
                    file = None if problem else archive.open(member)
                except _ERRORS:
                    problem, file = _DAMAGED, None
                with file or nullcontext():
                    yield Entry(member.filename, member.file_size, str(number), problem), file

    def _tar_members(self) -> Iterator[tuple[Entry, IO[bytes] | None]]:
        most = _MOST_RATIO * self._path.stat().st_size + _ALLOWED_BYTES
        # A stream: what is passed over is never held.
        with tarfile.open(self._path, "r|*", bufsize=_CHUNK) as archive:
            for number, member in enumerate(archive):
                if member.offset_data + member.size > most:
                    raise tarfile.TarError(f"it holds more than {most} bytes")
                if member.isdir():
                    continue
                problem = "" if member.isreg() else "a link" if member.issym() or member.islnk() else "no ordinary file"
                problem = problem or too_large(member.size, self._max_bytes)
                file = None if problem else archive.extractfile(member)
                yield Entry(member.name, member.size, str(number), problem), file


def _is_tarball(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except _ERRORS:
        return False


def _name(path: Path) -> str:
    name = path.name
    for suffix in (".zip", ".gz", ".bz2", ".xz", ".zst", ".tgz", ".tar"):
        name = name.removesuffix(suffix)
    return name
