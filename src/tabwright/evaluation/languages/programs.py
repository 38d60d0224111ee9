"""The program's side: how a sample's files come to a process of its own, either way in a sandbox."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tabwright.evaluation.languages.build import BuildError, add
from tabwright.evaluation.languages.standing import Runner, pack, seen
from tabwright.evaluation.languages.table import Language, fill
from tabwright.sandbox import Command, Limits, Sandbox, SandboxError

_READY, _NO_PROGRAM = b"R", b"X"


class Programs(Protocol):
    """Where programs run; a context manager."""

    sandbox: Sandbox

    def prepare(self) -> None:
        """Do what can be done before there is a program."""

    @contextmanager
    def candidate(self, files: Mapping[str, bytes]) -> Iterator[Command]:
        """Give the process of a program, which `load` begins; it is ended when the context is left."""

    def load(self, candidate: Command, files: Mapping[str, bytes]) -> None:
        """Begin a program.

        Raises:
            BuildError: it is none.
            AssertionError: its own lines failed.
            ConnectionEnded: it ended, or took too long.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class _Held:
    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class ShownPrograms(_Held):
    """Programs that are files which a command runs; each process is shown its own.

    Args:
        language: a row of the table.
        kit: the folder of its kit.
        limits: what each may use.
        unsafe: run even where programs cannot be isolated.
    """

    def __init__(self, language: Language, kit: Path, limits: Limits, *, unsafe: bool) -> None:
        super().__init__()
        shown = seen(language, language.program, kit)
        self._builds = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tabwright-programs-")))
        self._builds.chmod(0o755)
        self.sandbox = self._stack.enter_context(
            Sandbox(limits, rights="execute", shown=shown, builds=self._builds, unsafe=unsafe)
        )
        names = language.names(kit, isolated=self.sandbox.isolated)
        self._command = [fill(part, names) for part in language.program.run]
        self._next: Path | None = None

    def prepare(self) -> None:
        """Have a process sealed, where none waits for a program; it is shown a folder that is empty as yet."""
        if self._next is None:
            self._next = self._builds / secrets.token_hex(8)
            self._next.mkdir(mode=0o755)
            self.sandbox.prepare(self._next.name)

    @contextmanager
    def candidate(self, files: Mapping[str, bytes]) -> Iterator[Command]:
        """Give a process that is shown the files."""
        self.prepare()
        folder, self._next = self._next, None
        assert folder is not None
        add(folder, files)
        try:
            with self.sandbox.command(self._command, folder.name) as candidate:
                yield candidate
        finally:
            shutil.rmtree(folder)

    def load(self, candidate: Command, files: Mapping[str, bytes]) -> None:
        """Start the program.

        Raises:
            ConnectionEnded: it ended, or took too long.
        """
        candidate.start()


class SentPrograms(_Held):
    """Programs that are sent to a process of their run time, which can be started before there is a program.

    Args:
        runner: starts the processes; owned from now on.
    """

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self._stack.callback(runner.close)
        self._runner = runner
        self.sandbox = runner.sandbox
        self._spare: Command | None = None

    def prepare(self) -> None:
        """Start a process, where none waits for a program."""
        if self._spare is None:
            self._spare = self._runner.launch()

    @contextmanager
    def candidate(self, files: Mapping[str, bytes]) -> Iterator[Command]:
        """Give a process that waits for a program.

        Raises:
            SandboxError: it cannot be started.
        """
        self.prepare()
        candidate, self._spare = self._spare, None
        assert candidate is not None
        self._runner.greet(candidate)
        try:
            yield candidate
        finally:
            candidate.finish(None)

    def load(self, candidate: Command, files: Mapping[str, bytes]) -> None:
        """Send the program.

        Raises:
            BuildError: the run time cannot read it.
            AssertionError: its own lines failed.
            ConnectionEnded: it ended, or took too long.
        """
        candidate.renew()
        said = candidate.ask(pack(files))
        if said[:1] == _NO_PROGRAM:
            raise BuildError(said[1:].decode(errors="replace"))
        if said[:1] != _READY:
            raise AssertionError(said[1:].decode(errors="replace"))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._spare is not None:
            with suppress(SandboxError):  # its server may have been killed
                self._spare.finish(None)
            self._spare = None
        super().__exit__(kind, error, trace)
