"""The trusted side: start the fork server, give it programs, call their functions, learn how they ended.

A `Sandbox` serves one caller at a time; use one for each worker process.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tabwright.sandbox.calls import ConnectionEnded, HungUp, Peer, RemoteError, TooLarge, TooLate, failure
from tabwright.sandbox.limits import Limits, Outcome, Result, SandboxError
from tabwright.sandbox.zygote import ENDED

# Without these the sandbox does not run a program unless told to; the others are second locks.
REQUIRED = (
    "pid namespace",
    "mount namespace",
    "network namespace",
    "ipc namespace",
    "private files",
    "resource limits",
    "no capabilities",
    "no new privileges",
    "seccomp",
)
_START = "import sys; sys.path.append(sys.argv[2]); from tabwright.sandbox.zygote import main; main()"
_START_TIMEOUT_S = 30.0
_END_TIMEOUT_S = 10.0
_ENVIRONMENT = {"HOME": "/tmp", "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # noqa: S108
_SETTLING_S = 10.0
_LONGEST_ERROR = 300


class Sandbox:
    """A fork server for untrusted Python programs.

    It dies with the thread that made it, so that a killed scorer leaves nothing running.

    Args:
        limits: what each program may use.
        packages: names of installed packages that programs may import besides the standard library.
        unsafe: run even where required layers are missing. Everything that the machine offers is still used.

    Attributes:
        layers: each layer with an empty text where it is active, else the reason why not, as a child reported it.

    Raises:
        SandboxError: a required layer is missing and `unsafe` is false, or nothing works at all.
    """

    def __init__(self, limits: Limits | None = None, *, packages: Sequence[str] = (), unsafe: bool = False) -> None:
        if sys.platform != "linux":
            raise SandboxError(f"the sandbox needs Linux, this is {sys.platform}; use a Linux machine or container")
        self.limits = limits or Limits()
        self._packages = [path for name in packages for path in _locate(name)]
        self._unsafe = unsafe
        self._spare: tuple[Peer, int] | None = None
        try:
            self._start(isolate=True)
        except SandboxError:
            if not unsafe:
                raise
            self._start(isolate=False)
        try:
            self.layers = self._probe()
        except SandboxError:
            self.close()
            raise

    def session(self, source: str) -> Session:
        """Return a session for a program. Entering it starts a child of its own, leaving it ends the child.

        Entering raises `SandboxError` where the child lacks a required layer: it is never given the program then.
        """
        return Session(self, source)

    def check(self, layers: Mapping[str, str]) -> None:
        """Refuse a child that lacks a required layer, unless the sandbox was told to take what there is.

        Raises:
            SandboxError: a required layer is missing.
        """
        missing = [f"{name} ({layers.get(name, 'not tried')})" for name in REQUIRED if layers.get(name, "-")]
        if missing and not self._unsafe:
            raise SandboxError(_missing("; ".join(missing)))

    def close(self) -> None:
        """End the fork server and whatever runs under it."""
        self._control.close()
        if self._spare is not None:
            self._spare[0].close()
            os.close(self._spare[1])
            self._spare = None
        try:
            self._server.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, *, isolate: bool) -> None:
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        code = str(Path(__file__).parents[2])
        python = getattr(sys, "_base_executable", None) or sys.executable
        with other:
            self._server = subprocess.Popen(
                [python, "-I", "-S", "-B", "-c", _START, str(other.fileno()), code],
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_ENVIRONMENT,
            )
        plan = {
            "code": code,
            "isolate": isolate,
            "limits": asdict(self.limits),
            "packages": self._packages,
            "privileged": False,
        }
        self._control.send(json.dumps(plan).encode())
        self._control.settimeout(_START_TIMEOUT_S)
        try:
            answer = self._control.recv(1 << 12)
        except TimeoutError:
            answer = b"it did not start in time"
        if answer != b"ready":
            self.close()
            raise SandboxError(_missing(answer.decode(errors="replace") or "the fork server ended"))
        self._control.settimeout(_END_TIMEOUT_S)

    def _probe(self) -> dict[str, str]:
        with self.session("") as session:
            return session.layers

    def take(self) -> tuple[Peer, int]:
        """Return the connection to a fresh child and the descriptor of its output file; they are the caller's now."""
        self.prepare()
        assert self._spare is not None
        spare, self._spare = self._spare, None
        return spare

    def prepare(self) -> None:
        """Have a child fork and seal itself while the one before it is at work."""
        if self._spare is not None:
            return
        ours, theirs = socket.socketpair()
        output = os.memfd_create("output")
        with theirs:
            try:
                socket.send_fds(self._control, [b"run"], [theirs.fileno(), output])
            except OSError as error:
                os.close(output)
                ours.close()
                raise SandboxError(f"the fork server has gone: {error}") from None
        self._spare = Peer(ours, limit_bytes=self.limits.answer_bytes, names={}), output

    def end(self) -> tuple[int, int, float]:
        """Kill the child and everything it started; return wait status, peak memory in bytes, CPU time in seconds."""
        try:
            self._control.send(b"end")
            status, memory, cpu_s = ENDED.unpack(self._control.recv(ENDED.size))
        except (OSError, struct.error) as error:
            raise SandboxError(f"the fork server has gone: {error}") from None
        return status, memory, cpu_s


class Session:
    """One program: loaded, called, ended."""

    def __init__(self, sandbox: Sandbox, source: str) -> None:
        self._sandbox = sandbox
        self._source = source
        self.layers: dict[str, str] = {}
        self._fault: BaseException | None = None
        self._result: Result | None = None

    def __enter__(self) -> Self:
        self._peer, self._output = self._sandbox.take()
        self._started = time.monotonic()
        self._peer.deadline = self._started + _SETTLING_S
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

    def load(self) -> None:
        """Run the program's own lines.

        Raises:
            Exception: what they raised.
            ConnectionEnded: the program ended, or took too long.
        """
        self._started = time.monotonic()
        self._peer.deadline = self._started + self._sandbox.limits.timeout_s
        with self._guard():
            self._peer.send(["value", self._source, None])
            self._sandbox.prepare()
            self._peer.reply()

    def function(self, name: str) -> Callable[..., Any]:
        """Return a function that calls the program's global of that name."""

        def call(*arguments: Any, **keywords: Any) -> Any:
            with self._guard():
                return self._peer.call(name, arguments, keywords)

        call.__name__ = name
        return call

    @contextlib.contextmanager
    def _guard(self) -> Iterator[None]:
        if self._fault is not None:
            raise self._fault
        try:
            yield
        except ConnectionEnded as error:
            self._fault = error
            raise

    def finish(self, error: BaseException | None) -> Result:
        """End the program and say what came of it.

        Args:
            error: what the tests raised, None when they were content. Tests that were content in spite of a
                connection that ended are not believed.
        """
        if self._result is None:
            duration_s = time.monotonic() - self._started
            self._peer.close()
            try:
                status, memory, cpu_s = self._sandbox.end()
                size = os.fstat(self._output).st_size
                output = os.pread(self._output, self._sandbox.limits.output_bytes, 0)
            finally:
                os.close(self._output)
            fault = self._fault or error
            outcome, text = _judge(fault, status, memory, cpu_s, size, self._sandbox.limits)
            self._result = Result(
                outcome=outcome, error=text, duration_s=duration_s, output=output.decode(errors="replace")
            )
        return self._result


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
    _, kind, message = failure(error)
    line = " ".join((message if isinstance(error, RemoteError) else f"{kind}: {message}").split()).removesuffix(":")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)[:_LONGEST_ERROR]


def _judge_end(status: int, memory: int, cpu_s: float, limits: Limits) -> tuple[Outcome, str]:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        most_s = math.ceil(limits.timeout_s) + 1
        # The first process of a namespace gets SIGKILL at the limit; the kernel's count may run a tick ahead.
        if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu_s > most_s - 0.1):
            return "timeout", f"used more than {most_s} s of CPU time"
        if memory > 0.9 * limits.memory_bytes:
            return "memory", f"killed at {memory} bytes"
        return "crashed", f"killed by {signal.Signals(number).name}"
    return "crashed", f"exited with status {os.WEXITSTATUS(status)} before its tests were done"


def _locate(package: str) -> list[str]:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):  # no name of a module, or of one inside a package that is missing
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise SandboxError(f"package {package!r} is not installed here; install it or leave it out")
    folder = Path(spec.submodule_search_locations[0])
    return [str(path) for path in (folder, folder.with_name(f"{package}.libs")) if path.exists()]


def _missing(what: str) -> str:
    return (
        f"programs cannot be isolated here: {what}; allow unprivileged user namespaces "
        "(sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns) or run as root, "
        "or accept the danger with unsafe=True (--unsafe)"
    )
