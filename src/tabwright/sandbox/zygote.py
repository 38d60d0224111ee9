"""The fork server: a warm, lean Python that forks one sealed child for each program.

It is started afresh (never forked from a process that knows tests), builds the minimal root once, and forks on demand.
It never sees a program's text: that goes from the tester to the child over a socket that only passes through here.

Control messages (one packet each): `run FOLDER` with two descriptors (the program's connection, its output), `end`
(kill the oldest child, wait for it, reply with `ENDED`), `drop` (the same without a reply).
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import os
import signal
import socket
import struct
import sys
from collections import deque
from typing import Any

from tabwright.sandbox import program
from tabwright.sandbox.linux import kernel, landlock, root, sealing, seccomp

ENDED = struct.Struct("=iqd")
_NAMESPACES = kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS
_CONTROL = 32  # above the descriptors that children have
# What programs import most. Anything else they import for themselves: to have it here costs every child more.
_WARM = "bisect collections copy functools heapq itertools math operator re string typing"


def _enter_namespaces() -> bool:
    """Enter fresh namespaces; return whether the host's root did it, so that no user namespace was needed.

    Raises:
        OSError: the kernel refuses.
    """
    try:
        kernel.unshare(_NAMESPACES)
        return True
    except PermissionError:
        pass
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(text)
    kernel.unshare(_NAMESPACES)
    return False


class Server:
    """Forks, ends and reports children: the oldest is at work, a younger one stands by.

    Attributes:
        own_pids: the descriptor of this process's own pid namespace, -1 where it has none.
    """

    def __init__(self, control: socket.socket, plan: dict[str, Any]) -> None:
        self._control = control
        self._plan = plan
        self._children: deque[tuple[int, str]] = deque()
        self._program = program.Program(plan)
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY) if plan["isolate"] else -1

    def serve(self) -> None:
        """Follow orders until the tester hangs up."""
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(self._control, 256, 2)
            except ConnectionError:  # the tester was killed
                message = b""
            order, _, folder = message.decode().partition(" ")
            if order == "run":
                self._run(folder, *descriptors)
            elif order == "end":
                self._control.send(self._end())
            elif order == "drop":
                self._end()
            else:
                while self._children:
                    self._end()
                return

    def _run(self, folder: str, connection: int, output: int) -> None:
        scratch = program.SCRATCH
        if self._plan["isolate"]:
            # Each child is the first process of a namespace of its own: when it ends, all that it started ends.
            kernel.setns(self.own_pids, kernel.CLONE_NEWPID)
            kernel.unshare(kernel.CLONE_NEWPID)
        else:
            import tempfile

            scratch = tempfile.mkdtemp(prefix="tabwright-sandbox-")
        child = kernel.fork()
        if not child:
            self._program.take_over(connection, output, scratch, folder)
        self._children.append((child, scratch))
        os.close(connection)
        os.close(output)

    def _end(self) -> bytes:
        """Kill the oldest child with all that it started, wait for it, and return how it ended."""
        if not self._children:
            return ENDED.pack(0, 0, 0.0)
        child, scratch = self._children.popleft()
        if not self._plan["isolate"]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        os.kill(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
        if not self._plan["isolate"]:
            import shutil

            shutil.rmtree(scratch, ignore_errors=True)
        return ENDED.pack(status, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime)


def main() -> None:
    """Serve on the inherited control socket; the first packet is the plan, the answer says how far it got."""
    kernel.die_with_parent()
    inherited = int(sys.argv[1])
    control = socket.socket(fileno=fcntl.fcntl(inherited, fcntl.F_DUPFD_CLOEXEC, _CONTROL))
    os.close(inherited)
    plan: dict[str, Any] = json.loads(control.recv(1 << 16))
    if plan["rights"] == "none":
        for name in _WARM.split():
            __import__(name)
    plan["landlock"] = landlock.version()
    problem = ""
    try:
        rights = plan["rights"] = "none" if plan["server"] else plan["rights"]
        plan["filter"] = seccomp.program(os.uname().machine, execute=rights != "none", processes=rights == "processes")
    except KeyError as error:
        plan["filter"], problem = b"", f"no system call table for {error}"
    if plan["isolate"]:
        try:
            plan["privileged"] = _enter_namespaces()
        except OSError as error:
            problem = str(error)
    if problem:
        control.send(problem.encode())
        return
    if plan["isolate"]:
        child = os.fork()
        if child:
            control.close()
            os.waitpid(child, 0)
            return
        kernel.die_with_parent()
    _serve(control, plan)


def _serve(control: socket.socket, plan: dict[str, Any]) -> None:
    try:
        server = Server(control, plan)
        program.limit_server(plan["limits"])
        if plan["isolate"]:
            root.build(plan["packages"], plan["shown"], plan["builds"])
            kernel.set_hostname("sandbox")
        if plan["server"]:
            _hand_over(control, plan, server.own_pids)
    except OSError as error:
        control.send(str(error).encode())
        return
    if plan["packages"]:
        sys.path.append(root.PACKAGES)
    control.send(b"ready")
    # Collecting writes to every object, and so copies the pages that children share with the server.
    gc.collect()
    gc.disable()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    server.serve()


def _hand_over(control: socket.socket, plan: dict[str, Any], own_pids: int) -> None:
    """Become the run time that serves in Python's place: warm as this one is, but in another language.

    Its descriptors are 3: `control`, 4: what each child does to seal itself, 5: its own pid namespace. Its last
    argument names the layers.
    """
    sealed = sealing.calls(plan, program.SCRATCH, "")
    order = os.memfd_create("sealing")
    os.write(order, sealing.pack(sealed))
    # Moved up first, so that none is where another goes.
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 32) for descriptor in (control.fileno(), order, own_pids)]
    for place, descriptor in enumerate(moved, start=3):
        os.dup2(descriptor, place)
    os.closerange(6, 1 << 10)
    os.set_blocking(3, True)
    kernel.keep_administration()
    names = json.dumps({"layers": sealing.layer_names(sealed), "shared": program.shared(plan)})
    os.execve(plan["server"][0], [*plan["server"], names], os.environ)  # noqa: S606
