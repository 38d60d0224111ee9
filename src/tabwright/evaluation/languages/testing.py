"""The test's side: a process that runs a problem's test, which asks where it calls the function that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tabwright.evaluation.languages.standing import Runner, Standing, pack
from tabwright.sandbox import Command, ConnectionEnded, Limits, Sandbox
from tabwright.sandbox.channel import HungUp

_CALL, _STOP = b"C", b""
_STOPPING_S = 0.5


class Test(Protocol):
    """A test at work. What it says is a question (C and a call) or its verdict (P, or F and a reason)."""

    def begin(self) -> bytes:
        """Begin, and return what it says first."""

    def ask(self, answer: bytes) -> bytes:
        """Go on with the program's answer, and return what it says next."""


class Tests(Protocol):
    """Where tests run; a context manager."""

    def prepare(self, folder: Path) -> None:
        """Do what can be done before there is a program for the test of a folder."""

    @contextmanager
    def test(self, folder: Path) -> Iterator[Test]:
        """Give the test of a folder; it is stopped when the context is left."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ShownTests:
    """Tests that are programs; each has a process of its own, which is shown the test's folder.

    Args:
        command: runs a test; `{folder}` in it is the test's folder.
        folders: the folder of all tests' folders.
        limits: what each may use.
        shown: files and folders that each sees besides, by their places.
        unsafe: run even where programs cannot be isolated.
    """

    def __init__(
        self, command: tuple[str, ...], folders: Path, limits: Limits, *, shown: Mapping[str, str], unsafe: bool
    ) -> None:
        self._command = command
        self._sandbox = Sandbox(limits, rights="execute", shown=shown, builds=folders, unsafe=unsafe)
        self._prepared = ""

    def prepare(self, folder: Path) -> None:
        """Have a process sealed that is shown the test's folder."""
        if self._prepared not in ("", folder.name):
            with self._sandbox.command(self._command, self._prepared):  # its test is not wanted any more
                pass
        self._prepared = folder.name
        self._sandbox.prepare(folder.name)

    @contextmanager
    def test(self, folder: Path) -> Iterator[Test]:
        """Give a test in a process of its own."""
        self.prepare(folder)
        self._prepared = ""
        with self._sandbox.command(self._command, folder.name) as command:
            shown = _Shown(command)
            shown.launch()
            yield shown

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sandbox.close()


class _Shown:
    def __init__(self, command: Command) -> None:
        self._command = command

    def launch(self) -> None:
        self._say(self._command.launch)

    def begin(self) -> bytes:
        return self._say(self._command.greet) or self.ask(b"")

    def ask(self, answer: bytes) -> bytes:
        return self._say(lambda: self._command.ask(answer))

    def _say(self, action: Callable[[], bytes | None]) -> bytes:
        try:
            return action() or b""
        except HungUp as error:
            raise _broken(self._command.finish(error).output) from None


class StandingTests:
    """Tests that are sent to one process, which runs one after the other.

    Args:
        runner: starts it; owned from now on.
    """

    def __init__(self, runner: Runner) -> None:
        self._stack = ExitStack()
        self._standing = self._stack.enter_context(Standing(runner))

    def prepare(self, folder: Path) -> None:
        """Nothing: one process stays for all tests."""

    @contextmanager
    def test(self, folder: Path) -> Iterator[Test]:
        """Give a test. One that waits for an answer at the end is told that there will be none."""
        test = _Sent(self._standing, {path.name: path.read_bytes() for path in folder.iterdir()})
        try:
            yield test
        finally:
            if test.waits:
                self._stop()

    def _stop(self) -> None:
        try:
            if self._standing.ask(_STOP, within_s=_STOPPING_S)[:1] == _CALL:
                self._standing.end()
        except ConnectionEnded:
            pass  # there will be another

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class _Sent:
    def __init__(self, standing: Standing, files: dict[str, bytes]) -> None:
        self._standing = standing
        self._files = files
        self.waits = False

    def begin(self) -> bytes:
        return self._say(lambda: self._standing.begin(pack(self._files)))

    def ask(self, answer: bytes) -> bytes:
        return self._say(lambda: self._standing.ask(answer))

    def _say(self, action: Callable[[], bytes]) -> bytes:
        self.waits = False
        try:
            said = action()
        except HungUp:
            raise _broken(self._standing.output) from None
        self.waits = said[:1] == _CALL
        return said


def _broken(output: str) -> AssertionError:
    return AssertionError(output.strip() or "the test broke off")
