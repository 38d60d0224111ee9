"""A source's files at its top -> its name and licence, which all of its files carry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from tabwright.corpus.batch import SourceFile
from tabwright.corpus.licences import LICENCE_FILE, licence_of_text
from tabwright.corpus.sources.source import Entry

_MOST_LICENCE_FILES = 8


@dataclass(frozen=True, slots=True)
class Named:
    """What a source's files have in common.

    Attributes:
        licence: an SPDX expression; several licence files that differ are all to be kept to, as we cannot know better.
    """

    repository: str
    revision: str
    licence: str

    @classmethod
    def of(cls, repository: str, revision: str, tops: Iterable[Entry], read: Callable[[Entry], bytes]) -> Self:
        """Find the licence among the files of the first folder; `read` gives the text of one."""
        files = [entry for entry in tops if LICENCE_FILE.fullmatch(entry.path) and not entry.problem]
        found = {licence_of_text(read(entry)) for entry in files[:_MOST_LICENCE_FILES]} - {""}
        return cls(repository, revision, " AND ".join(f"({name})" if " " in name else name for name in sorted(found)))

    def file(self, path: str, text: bytes, problem: str = "") -> SourceFile:
        """Return one of the source's files."""
        return SourceFile(
            repository=self.repository, revision=self.revision, licence=self.licence, path=path, text=text,
            problem=problem,
        )  # fmt: skip
