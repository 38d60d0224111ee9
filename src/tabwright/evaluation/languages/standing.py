"""A process that stays: it does one thing after the other that it is asked, and is replaced where it hangs or dies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tabwright.evaluation.languages.table import KIT, Language, Step, fill
from tabwright.sandbox import Command, ConnectionEnded, Limits, Sandbox, SandboxError
from tabwright.sandbox.channel import HungUp

_HEAP_SHARE = 0.75
_STARTING_S = 30.0


class Runner:
    """Starts the processes of one of a language's steps, in a sandbox that shows its run time and the kit.

    Args:
        language: a row of the table.
        step: what is run.
        kit: the folder of the kit.
        limits: what each process may use; the address space that the language's run time reserves comes on top.
        shown: more files and folders that it sees, by their places.
        unsafe: run even where programs cannot be isolated.

    Raises:
        SandboxError: programs cannot be isolated here.
    """

    def __init__(
        self,
        language: Language,
        step: Step,
        kit: Path,
        limits: Limits,
        *,
        shown: Mapping[str, str] | None = None,
        unsafe: bool = False,
    ) -> None:
        places = seen(language, step, kit) | dict(shown or {})
        heap = {"heap_mib": str(int(limits.memory_bytes * _HEAP_SHARE) >> 20)}
        names = language.names(kit, isolated=True) | heap
        server = [fill(part, names) for part in step.server]
        self.sandbox = Sandbox(limits, rights="execute", shown=places, server=server, unsafe=unsafe)
        names = language.names(kit, isolated=self.sandbox.isolated) | heap
        self._command = [fill(part, names) for part in step.run]
        self._environment = language.variables(names)
        self._connection = language.connection
        self._what = f"{language.name}: {self._command[0]}"

    def launch(self) -> Command:
        """Return a process that has been started, and need not be ready yet. The caller ends it with `finish`."""
        command = self.sandbox.command(self._command, environment=self._environment, connection=self._connection)
        command.__enter__()
        try:
            command.launch()
        except ConnectionEnded as error:
            self._refuse(command, error)
        return command

    def greet(self, command: Command) -> None:
        """Wait until a process is ready.

        Raises:
            SandboxError: it cannot be started; the message has what it wrote.
        """
        command.channel.renew(_STARTING_S)  # how long ago it was launched does not matter, nor what programs may take
        try:
            command.greet()
        except ConnectionEnded as error:
            self._refuse(command, error)

    def close(self) -> None:
        """End everything that runs."""
        self.sandbox.close()

    def _refuse(self, command: Command, error: ConnectionEnded) -> None:
        result = command.finish(error)
        raise SandboxError(f"{self._what} cannot be started: {result.output.strip() or result.error}") from None


class Standing:
    """One process that stays; a context manager.

    Args:
        runner: starts it; owned from now on.

    Attributes:
        output: what the last one wrote that has ended.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._process: Command | None = None
        self.output = ""

    def begin(self, message: bytes) -> bytes:
        """Start something new with a message, in a process that is started where none is, and return the answer.

        Raises:
            ConnectionEnded: it hung or died; the next time there will be another.
            SandboxError: it cannot be started.
        """
        while True:
            fresh = self._process is None
            if self._process is None:
                process = self._runner.launch()
                self._runner.greet(process)
                self._process = process
            self._process.renew()
            try:
                return self.ask(message)
            except HungUp:  # it may have died before it was asked
                if fresh:
                    raise

    def ask(self, message: bytes, *, within_s: float | None = None) -> bytes:
        """Go on with a message, and return the answer.

        Raises:
            ConnectionEnded: it hung or died; the next time there will be another.
        """
        assert self._process is not None, "begin comes first"
        if within_s is not None:
            self._process.channel.renew(within_s)
        try:
            return self._process.ask(message)
        except ConnectionEnded as error:
            self.end(error)
            raise

    def end(self, error: BaseException | None = None) -> None:
        """End the process; `output` has what it wrote."""
        if self._process is not None:
            process, self._process = self._process, None
            self.output = process.finish(error).output.strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)
        self._runner.close()


def seen(language: Language, step: Step, kit: Path) -> dict[str, str]:
    """Return what a step's processes see of the host, by the places where they see it."""
    return language.shown(step.shows) | ({KIT: str(kit)} if "{kit}" in step.shows else {})


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return files as a message: a count, then for each its name and its content, each after its length."""
    parts = [len(files).to_bytes(4, "big")]
    for name, content in files.items():
        for part in (name.encode(), content):
            parts += [len(part).to_bytes(4, "big"), part]
    return b"".join(parts)


def unpack(message: bytes) -> dict[str, bytes]:
    """Return the files of a message.

    Raises:
        ValueError: it is none.
    """
    parts, at = [], 4
    for _ in range(2 * int.from_bytes(message[:4], "big")):
        end = at + 4 + int.from_bytes(message[at : at + 4], "big")
        if end > len(message):
            raise ValueError("a message of files that ends too early")
        parts.append(message[at + 4 : end])
        at = end
    return {name.decode(): content for name, content in zip(parts[::2], parts[1::2], strict=True)}
