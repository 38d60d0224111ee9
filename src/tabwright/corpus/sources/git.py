"""A git repository, bare or not, at a revision: what is committed there, whatever lies in the work tree."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from tabwright.corpus.batch import SourceFile
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.sources.licensing import Named
from tabwright.corpus.sources.source import Entry, too_large

_LINK, _SUBMODULE = "120000", "160000"
_PARTS = ("HEAD", "objects", "refs")
_PIPE_BYTES = 1 << 20  # git and we then wait for each other less often
_DAMAGED = "cannot be read: damaged in the repository"
_LATER = "cannot be read: not in this copy of the repository"


class _GitError(CorpusError):
    """Git's own words."""


class GitSource:
    """The files of one commit.

    Args:
        repository: the folder, or its git directory.
        revision: a branch, tag or commit; HEAD if empty.
        max_bytes: larger files are listed and not read.

    Raises:
        CorpusError: it is no repository, or has no such revision.
    """

    def __init__(self, repository: Path, revision: str, max_bytes: int) -> None:
        self._repository, self._max_bytes = repository, max_bytes
        self._directory = git_directory(repository) or repository
        wanted = revision or "HEAD"
        try:
            commit = self._git("rev-parse", "--verify", "--end-of-options", f"{wanted}^{{commit}}")
        except _GitError as error:
            remedy = "name a branch, a tag or a commit" if revision else "it has no commit yet, or is damaged"
            raise CorpusError(f"{repository}: git finds no revision {wanted!r} ({error}); {remedy}") from None
        self.state = commit.decode().strip()
        self._named: Named | None = None

    def entries(self) -> list[Entry]:
        """List the commit's files, sorted by path as git sorts them."""
        return self._listed("-r")

    def _listed(self, *options: str) -> list[Entry]:
        lines = self._git("ls-tree", *options, "-l", "-z", "--full-tree", self.state).split(b"\0")
        return [self._entry(line.decode(errors="replace")) for line in lines if line]

    def read(self, entries: Sequence[Entry]) -> Iterator[SourceFile]:
        """Read some files, through one process of git."""
        if self._named is None:
            name = _name(self._repository)
            self._named = Named.of(name, self.state, self._listed(), lambda entry: next(self._contents([entry]))[0])
        contents = self._contents([entry for entry in entries if not entry.problem])
        for entry in entries:
            text, problem = (b"", entry.problem) if entry.problem else next(contents)
            yield self._named.file(entry.path, text, problem)

    def _entry(self, line: str) -> Entry:
        facts, path = line.split("\t", 1)
        mode, _, key, size = facts.split()
        if mode in (_LINK, _SUBMODULE):
            return Entry(path, 0, problem="a link" if mode == _LINK else "a submodule")
        if not size.isdigit():
            return Entry(path, 0, problem=_LATER)
        return Entry(path, int(size), key, problem=too_large(int(size), self._max_bytes))

    def _contents(self, entries: Sequence[Entry]) -> Iterator[tuple[bytes, str]]:
        at = 0
        while at < len(entries):  # git ends at what is damaged, and is asked for the rest anew
            for content in self._answers(entries[at:]):
                yield content
                at += 1
            if at < len(entries):
                yield b"", _DAMAGED
                at += 1

    def _answers(self, entries: Sequence[Entry]) -> Iterator[tuple[bytes, str]]:
        """Yield what git says of entries, as long as it does."""
        # What is asked lies in a file, so git need not wait for us, nor answer each question before the next.
        with tempfile.TemporaryFile() as asked:
            asked.write("".join(f"{entry.key}\n" for entry in entries).encode())
            asked.seek(0)
            with subprocess.Popen(
                self._command("cat-file", "--batch", "--buffer"),
                stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pipesize=_PIPE_BYTES,
                env=_environment(),
            ) as git:  # fmt: skip
                for _ in entries:
                    if git.stdout is None or (answer := _answer(git.stdout)) is None:
                        return
                    yield answer

    def _git(self, *arguments: str) -> bytes:
        try:
            done = subprocess.run(self._command(*arguments), capture_output=True, check=False, env=_environment())
        except FileNotFoundError:
            raise CorpusError("git: is not installed; it reads repositories") from None
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip().splitlines()
            raise _GitError(f"{self._repository}: git says: {reason[-1] if reason else done.returncode}")
        return done.stdout

    def _command(self, *arguments: str) -> list[str]:
        return ["git", "-c", "safe.directory=*", f"--git-dir={self._directory}", *arguments]


def git_directory(path: Path) -> Path | None:
    """Return where git keeps a repository, of its work tree or that folder itself; None where it is none."""
    inside = path / ".git"
    if inside.is_file():  # of a submodule, or one of several work trees: git reads where it is
        return inside
    return next((place for place in (inside, path) if all((place / name).exists() for name in _PARTS)), None)


def _answer(answers: IO[bytes]) -> tuple[bytes, str] | None:
    """Return a text or why there is none; None where git has ended."""
    head = answers.readline().split()
    if not head:
        return None
    if len(head) != 3:
        return b"", _LATER
    text = answers.read(int(head[2]))
    return (text, "") if len(text) == int(head[2]) and answers.read(1) else None


def _name(repository: Path) -> str:
    """Return `owner/name` for folders that are named so, else the folder's name."""
    path = repository.resolve()
    name = path.parent.name if path.name in (".git", "repo") else path.name
    return name.removesuffix(".git").replace("+", "/")


def _environment() -> dict[str, str]:
    # Nothing is fetched or replaced, whatever a copy lacks, and no settings of this machine change what is read.
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    settings = ("GIT_NO_LAZY_FETCH", "GIT_CONFIG_NOSYSTEM", "GIT_NO_REPLACE_OBJECTS")
    return {**own, **dict.fromkeys(settings, "1"), "GIT_TERMINAL_PROMPT": "0"}
