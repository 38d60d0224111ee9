"""The trusted side of one program: sealed, given its work, ended, judged."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tabwright.sandbox.calls import Peer, RemoteError, failure
from tabwright.sandbox.channel import ConnectionEnded, HungUp, TooLarge, TooLate
from tabwright.sandbox.codec import encode
from tabwright.sandbox.limits import Limits, Outcome, Result, SandboxError
from tabwright.sandbox.linux.root import PROGRAM

if TYPE_CHECKING:
    from tabwright.sandbox.sandbox import Sandbox

_SETTLING_S = 10.0
_LONGEST_ERROR = 300


class Child:
    """One sealed child and how it ends; a context manager."""

    def __init__(self, sandbox: Sandbox, folder: str = "") -> None:
        self._sandbox = sandbox
        self._folder = folder
        self.layers: dict[str, str] = {}
        self._result: Result | None = None

    def __enter__(self) -> Self:
        self.channel, self._output = self._sandbox.take(self._folder)
        self._peer = Peer(self.channel, names={})
        self._started = time.monotonic()
        self.channel.deadline = self._started + _SETTLING_S
        try:
            self.layers = self._peer.receive()[1]
            self._sandbox.check(self.layers)
        except (ConnectionEnded, SandboxError) as error:
            self.finish(error)
            raise SandboxError(f"a child could not be sealed: {error}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish(error)

    def renew(self) -> None:
        """Begin anew what the limits say of time and of answers: for one that does one thing after the other."""
        self._started = time.monotonic()
        self.channel.renew(self._sandbox.limits.timeout_s)

    def _begin(self, message: list[Any]) -> None:
        self.renew()
        self._peer.send(message)

    def finish(self, error: BaseException | None) -> Result:
        """End the program and say what came of it.

        Args:
            error: what the tests raised, None when they were content. Tests that were content in spite of a
                connection that ended are not believed.
        """
        if self._result is None:
            duration_s = time.monotonic() - self._started
            self.channel.close()
            fault = self.channel.ended or error
            status, memory, cpu_s = 0, 0, 0.0
            try:
                if isinstance(fault, HungUp):
                    status, memory, cpu_s = self._sandbox.end()
                else:
                    self._sandbox.drop()
                size = os.fstat(self._output).st_size
                output = os.pread(self._output, self._sandbox.limits.output_bytes, 0)
            finally:
                os.close(self._output)
            outcome, text = _judge(fault, status, memory, cpu_s, size, self._sandbox.limits)
            self._result = Result(
                outcome=outcome, error=text, duration_s=duration_s, output=output.decode(errors="replace")
            )
        return self._result


class Session(Child):
    """A Python program: loaded, called, ended."""

    def __init__(self, sandbox: Sandbox, source: str) -> None:
        super().__init__(sandbox)
        self._source = source

    def load(self) -> None:
        """Run the program's own lines.

        Raises:
            Exception: what they raised.
            ConnectionEnded: the program ended, or took too long.
        """
        self._begin(["value", self._source, None])
        self._sandbox.prepare()
        self._peer.reply()

    @property
    def n_calls(self) -> int:
        """How many calls of the program's functions were made."""
        return self._peer.n_calls

    def function(self, name: str) -> Callable[..., Any]:
        """Return a function that calls the program's global of that name; as an argument it stands for that global."""
        return self._peer.function(name)


class Command(Child):
    """A program that the operating system runs. Its descriptor `connection` is the other end of `channel`."""

    def __init__(
        self,
        sandbox: Sandbox,
        command: Sequence[str],
        folder: str,
        environment: Mapping[str, str],
        connection: int,
    ) -> None:
        super().__init__(sandbox, folder)
        place = PROGRAM if sandbox.isolated else f"{sandbox.builds}/{folder}"
        self._command = [part.replace("{folder}", place) for part in command]
        self._environment = dict(environment)
        self._connection = connection

    def start(self) -> None:
        """Let the child become the program, and wait until the program says something, which is thrown away.

        Raises:
            ConnectionEnded: the program could not be started, ended, or took too long.
        """
        self.launch()
        self.greet()

    def launch(self) -> None:
        """Let the child become the program, and go on at once.

        Raises:
            ConnectionEnded: the child has gone.
        """
        self._begin(["execute", self._command, encode(self._environment, self._peer), self._connection])

    def greet(self) -> None:
        """Wait until the program that was launched says something, which is thrown away.

        Raises:
            ConnectionEnded: the program could not be started, ended, or took too long.
        """
        self.channel.receive()

    def ask(self, message: bytes) -> bytes:
        """Send a message and return the answer.

        Raises:
            ConnectionEnded: the program ended, or took too long.
        """
        self.channel.send(message)
        return self.channel.receive()


def _judge(
    error: BaseException | None, status: int, memory: int, cpu_s: float, written: int, limits: Limits
) -> tuple[Outcome, str | None]:
    if written > limits.output_bytes:
        return "output", f"wrote more than {limits.output_bytes} bytes"
    if error is None:
        return "passed", None
    text = _describe(error)
    if isinstance(error, TooLate):
        return "timeout", f"no result within {limits.timeout_s:g} s"
    if isinstance(error, TooLarge):
        return "output", str(error)
    if isinstance(error, MemoryError):
        return "memory", text
    if not isinstance(error, HungUp):
        return "failed", text
    return _judge_end(status, memory, cpu_s, limits)


def _describe(error: BaseException) -> str:
    """Return type and message on one line that is safe to print: the program chose every character of it."""
    _, kinds, message = failure(error)
    line = " ".join((message if isinstance(error, RemoteError) else f"{kinds[0]}: {message}").split()).removesuffix(":")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)[:_LONGEST_ERROR]


def _judge_end(status: int, memory: int, cpu_s: float, limits: Limits) -> tuple[Outcome, str]:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        most_s = limits.most_cpu_s
        # The first process of a namespace gets SIGKILL at the limit, by a count of ticks that may run far ahead of the
        # time that it really had. Nobody else kills one that has used so much.
        if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu_s > 0.7 * most_s):
            return "timeout", f"used more than {most_s} s of CPU time"
        if memory > 0.9 * limits.memory_bytes:
            return "memory", f"killed at {memory} bytes"
        return "crashed", f"killed by {signal.Signals(number).name}"
    return "crashed", f"exited with status {os.WEXITSTATUS(status)} before its tests were done"
