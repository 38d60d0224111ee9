"""Inside the forked child: shut every door, then run a Python program and answer calls, or become another program.

From `seal` on nothing here is trusted by the other side: the program shares this process and can change all of it.
Neither a test nor an expected answer ever comes here.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import socket
import sys
import types
from typing import Any

from tabwright.sandbox.calls import Peer, failure
from tabwright.sandbox.channel import Channel, ConnectionEnded
from tabwright.sandbox.codec import CodecError
from tabwright.sandbox.linux import kernel, sealing

CONNECTION = 3
SCRATCH = "/tmp"  # noqa: S108 - a fresh tmpfs of the program's own
_NAME = "program"
_REHEARSALS = 20
_REHEARSED = """\
from typing import List, Optional, Tuple

def rehearsed(numbers: List[float], words: Optional[Tuple[str]] = None) -> Tuple[bool, str]:
    \"\"\"Do a little of what programs do.\"\"\"
    found = {}
    for index, number in enumerate(sorted(numbers)):
        found[number] = [other for other in numbers if str(other) != "x"] + [index]
    return len(found) > 1, " ".join(str(number) for number in found)
"""
# What a program may hold in messages is bounded by its own memory limit.
_NO_LIMIT = 1 << 32


def shared(plan: dict[str, Any]) -> dict[str, str]:
    """Return the layers that the server has entered for all of its children, and those that this kernel lacks."""
    layers = {"control group": plan["control_group"]}
    layers |= {} if plan["landlock"] else {"landlock": "the kernel has none"}
    return layers | (dict.fromkeys(("network namespace", "ipc namespace"), "") if plan["isolate"] else {})


def limit_server(limits: dict[str, Any]) -> None:
    """Set, in the fork server, the limits that children inherit and that do not hinder the server."""
    kernel.limit(resource.RLIMIT_CORE, 0)
    kernel.limit(resource.RLIMIT_MEMLOCK, 0)
    kernel.limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    kernel.limit(resource.RLIMIT_NOFILE, limits["open_files"])
    kernel.limit(resource.RLIMIT_DATA, limits["memory_bytes"])
    kernel.limit(resource.RLIMIT_AS, limits["memory_bytes"] + limits["reserved_bytes"])


class Program:
    """What every child is before it has a program, made ready in the server: whatever a child does copies pages.

    Args:
        plan: the server's plan, complete.
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        here, there = socket.socketpair()
        os.dup2(here.detach(), CONNECTION)
        self._channel = Channel(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, CONNECTION), _NO_LIMIT)
        self._peer = Peer(self._channel, names={})
        self._rehearse(Peer(Channel(there, _NO_LIMIT), names={}))
        sys.modules[_NAME] = module = types.ModuleType(_NAME)
        self._peer.names = module.__dict__
        sys.argv[:], sys.orig_argv[:] = [_NAME], [_NAME]
        self._sealing = sealing.Sealing(sealing.calls(plan, SCRATCH, ""))
        self._sound = _report(self._layers(self._sealing.layers))

    def take_over(self, connection: int, output: int, scratch: str, folder: str) -> None:
        """Turn this fresh child into the program's process. Never returns.

        Descriptors are 0: /dev/null, 1 and 2: `output`, 3: `connection`; every other is closed.
        """
        try:
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.dup2(connection, CONNECTION)
            os.closerange(CONNECTION + 1, 1 << 20)
            self._channel.send(self._seal(scratch, folder))
            match self._peer.receive():
                case ["value", str(source), None]:
                    self._run(source)
                case ["execute", list(command), dict(environment), int(connection)]:
                    os.set_inheritable(CONNECTION, connection == CONNECTION)
                    if connection != CONNECTION:
                        os.dup2(CONNECTION, connection)
                    os.execve(command[0], command, environment)  # noqa: S606
        except ConnectionEnded:
            pass
        finally:
            os._exit(1)

    def _rehearse(self, other: Peer) -> None:
        """Do what children do until Python has adapted its code to it: adapting in a child copies pages."""
        for _ in range(_REHEARSALS):
            other.send(["value", _REHEARSED, None])
            _load(self._peer.receive()[1], self._peer.names)
            for argument in ([1, 2.0], "text"):
                other.send(["call", "rehearsed", [argument], {"dict": []}])
                self._peer.send(self._answer())
                other.receive()

    def _seal(self, scratch: str, folder: str) -> bytes:
        """Give up every right that the program must not have; return the report on the layers."""
        if not self._plan["isolate"]:
            os.setsid()
        ready = self._sealing
        if folder or scratch != SCRATCH:
            ready = sealing.Sealing(sealing.calls(self._plan, scratch, folder))
        if ready.perform() and os.getpid() == 1:
            return self._sound
        return _report(self._layers(ready.layers))

    def _layers(self, performed: dict[str, str]) -> dict[str, str]:
        layers = shared(self._plan) | performed
        if self._plan["isolate"]:
            layers["pid namespace"] = "" if os.getpid() == 1 else "not the first process"
        return layers

    def _run(self, source: str) -> None:
        gc.enable()
        flush = sys.stdout.flush
        reply = _load(source, self._peer.names)
        while True:
            with contextlib.suppress(BaseException):
                flush()
            self._peer.send(reply)
            reply = self._answer()

    def _answer(self) -> list[Any]:
        try:
            return self._peer.answer(self._peer.receive())
        except CodecError as error:
            return failure(error)


def _load(source: str, scope: dict[str, Any]) -> list[Any]:
    try:
        exec(compile(source, f"<{_NAME}>", "exec", dont_inherit=True), scope)  # noqa: S102
    except BaseException as error:
        return failure(error)
    return ["value", None, None]


def _report(layers: dict[str, str]) -> bytes:
    return json.dumps(["value", {"dict": list(layers.items())}, None]).encode("ascii")
