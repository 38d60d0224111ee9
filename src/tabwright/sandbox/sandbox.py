"""The trusted side of the fork server: start it, take sealed children from it, learn how they ended."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from tabwright.sandbox.channel import Channel
from tabwright.sandbox.limits import Limits, Rights, SandboxError
from tabwright.sandbox.linux.control_group import ControlGroup
from tabwright.sandbox.program import CONNECTION
from tabwright.sandbox.session import Command, Session
from tabwright.sandbox.zygote import ENDED

# Without these the sandbox does not run a program unless told to; the others are second locks.
REQUIRED = (
    "pid namespace",
    "own session",
    "mount namespace",
    "network namespace",
    "ipc namespace",
    "private files",
    "resource limits",
    "no capabilities",
    "no new privileges",
    "seccomp",
)
# The package's own imports, the trusted side, are left out: each child would have them copied.
_START = """
import sys, types
for name in ("tabwright", "tabwright.sandbox"):
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [f"{sys.argv[2]}/{name.replace('.', '/')}"]
from tabwright.sandbox.zygote import main
main()
"""
_START_TIMEOUT_S = 30.0
_END_TIMEOUT_S = 10.0
# What the fork server and the child that stands by hold, on top of what a program may.
_OWN_BYTES, _OWN_PROCESSES = 128 << 20, 8
_ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


class Sandbox:
    """A fork server for untrusted programs. It serves one caller at a time; use one for each worker process.

    It dies with the thread that made it, so that a killed scorer leaves nothing running.

    Args:
        limits: what each program may use.
        rights: what a program may do beyond computing.
        packages: names of installed Python packages that programs may import besides the standard library.
        shown: files and folders of the host that programs may read, by the place where they see them.
        builds: a folder whose folders belong to one program each; a command is shown its own, read-only.
        server: the command of a run time that forks in the place of Python (see `zygote`), as far as programs can be
            isolated. What `command` starts is then a fork of it; the command itself is not run.
        unsafe: run even where required layers are missing. Everything that the machine offers is still used.

    Attributes:
        layers: each layer with an empty text where it is active, else the reason why not, as a child reported it.
        isolated: whether programs have a root directory of their own.

    Raises:
        SandboxError: a required layer is missing and `unsafe` is false, or nothing works at all.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        rights: Rights = "none",
        packages: Sequence[str] = (),
        shown: Mapping[str, str] | None = None,
        builds: Path | None = None,
        server: Sequence[str] = (),
        unsafe: bool = False,
    ) -> None:
        if sys.platform != "linux":
            raise SandboxError(f"the sandbox needs Linux, this is {sys.platform}; use a Linux machine or container")
        self.limits = limits or Limits()
        self.builds = builds
        self._server_command = list(server)
        self._unsafe = unsafe
        self._spare: tuple[Channel, int] | None = None
        self._plan = {
            "limits": asdict(self.limits) | {"cpu_s": self.limits.most_cpu_s},
            "rights": rights,
            "packages": [path for name in packages for path in _locate(name)],
            "shown": dict(shown or {}),
            "builds": str(builds or ""),
            "privileged": False,
        }
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
        """Return a session for a Python program. Entering it starts a child of its own, leaving it ends the child.

        Entering raises `SandboxError` where the child lacks a required layer: it is never given the program then.
        """
        return Session(self, source)

    def command(
        self,
        command: Sequence[str],
        folder: str = "",
        environment: Mapping[str, str] | None = None,
        connection: int = CONNECTION,
    ) -> Command:
        """Return a session for a program that the operating system runs; the sandbox must have the right `execute`.

        Args:
            command: the program's path and its arguments; `{folder}` in them stands for the program's own folder.
            folder: the name of its own folder in `builds`.
            environment: variables besides those that every program gets.
            connection: the descriptor on which the program finds it: 3, or 0 in the place of an empty input.
        """
        return Command(self, command, folder, _ENVIRONMENT | dict(environment or {}), connection)

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
        self._group.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, *, isolate: bool) -> None:
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        python = getattr(sys, "_base_executable", None) or sys.executable
        with other:
            self._server = subprocess.Popen(
                [python, "-I", "-S", "-B", "-c", _START, str(other.fileno()), str(Path(__file__).parents[2])],
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_ENVIRONMENT,
            )
        self._group = self._limit_together(self._server.pid)
        self.isolated = isolate
        how = {
            "isolate": isolate,
            "server": self._server_command if isolate else [],
            "control_group": self._group.reason,
        }
        self._control.send(json.dumps(self._plan | how).encode())
        self._control.settimeout(_START_TIMEOUT_S)
        try:
            answer = self._control.recv(1 << 12)
        except TimeoutError:
            answer = b"it did not start in time"
        if answer != b"ready":
            self.close()
            raise SandboxError(_missing(answer.decode(errors="replace") or "the fork server ended"))
        self._control.settimeout(_END_TIMEOUT_S)

    def _limit_together(self, server: int) -> ControlGroup:
        limits = self.limits
        memory_bytes = limits.memory_bytes + limits.scratch_bytes + limits.file_bytes + _OWN_BYTES
        group = ControlGroup(memory_bytes, limits.threads + _OWN_PROCESSES)
        group.add(server)
        return group

    def _probe(self) -> dict[str, str]:
        with self.session("") as session:
            return session.layers

    def take(self, folder: str = "") -> tuple[Channel, int]:
        """Return the connection to a fresh child and the descriptor of its output file; they are the caller's now."""
        self.prepare(folder)
        assert self._spare is not None
        spare, self._spare = self._spare, None
        return spare

    def prepare(self, folder: str = "") -> None:
        """Have a child fork and seal itself, perhaps while the one before it is at work."""
        if self._spare is not None:
            return
        ours, theirs = socket.socketpair()
        output = os.memfd_create("output")
        with theirs:
            try:
                socket.send_fds(self._control, [f"run {folder}".encode()], [theirs.fileno(), output])
            except OSError as error:
                os.close(output)
                ours.close()
                raise SandboxError(f"the fork server has gone: {error}") from None
        self._spare = Channel(ours, self.limits.answer_bytes), output

    def drop(self) -> None:
        """Have the child and everything it started killed, and do not wait for it."""
        try:
            self._control.send(b"drop")
        except OSError as error:
            raise SandboxError(f"the fork server has gone: {error}") from None

    def end(self) -> tuple[int, int, float]:
        """Kill the child and everything it started; return wait status, peak memory in bytes, CPU time in seconds."""
        try:
            self._control.send(b"end")
            status, memory, cpu_s = ENDED.unpack(self._control.recv(ENDED.size))
        except (OSError, struct.error) as error:
            raise SandboxError(f"the fork server has gone: {error}") from None
        return status, memory, cpu_s


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
