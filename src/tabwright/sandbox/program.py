"""Inside the forked child: shut every door, then run a Python program and answer calls, or become another program.

From `seal` on nothing here is trusted by the other side: the program shares this process and can change all of it.
Neither a test nor an expected answer ever comes here.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import socket
import sys
import types
from typing import Any

from tabwright.sandbox.calls import Peer, failure
from tabwright.sandbox.channel import Channel, ConnectionEnded
from tabwright.sandbox.codec import CodecError, encode
from tabwright.sandbox.linux import kernel, sealing

CONNECTION = 3
_NAME = "program"
# What a program may hold in messages is bounded by its own memory limit.
_NO_LIMIT = 1 << 32


def seal(plan: dict[str, Any], scratch: str, folder: str) -> dict[str, str]:
    """Give up every right that the program must not have; see `sealing.calls` for the arguments.

    Returns:
        The layers: an empty text where active, else why not.
    """
    layers = absent(plan)
    if plan["isolate"]:
        layers["pid namespace"] = "" if os.getpid() == 1 else "not the first process"
    else:
        os.setsid()
    return layers | sealing.perform(sealing.calls(plan, scratch, folder))


def absent(plan: dict[str, Any]) -> dict[str, str]:
    """Return the layers that this kernel does not have."""
    return {} if plan["landlock"] else {"landlock": "the kernel has none"}


def limit_server(limits: dict[str, Any]) -> None:
    """Set, in the fork server, the limits that children inherit and that do not hinder the server."""
    kernel.limit(resource.RLIMIT_CORE, 0)
    kernel.limit(resource.RLIMIT_MEMLOCK, 0)
    kernel.limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    kernel.limit(resource.RLIMIT_NOFILE, limits["open_files"])
    kernel.limit(resource.RLIMIT_DATA, limits["memory_bytes"])
    kernel.limit(resource.RLIMIT_AS, limits["memory_bytes"] + limits["reserved_bytes"])


def take_over(plan: dict[str, Any], connection: int, output: int, scratch: str, folder: str) -> None:
    """Turn this fresh child into the program's process. Never returns.

    Descriptors are 0: /dev/null, 1 and 2: `output`, 3: `connection`; every other is closed.
    """
    try:
        kernel.die_with_parent()
        os.dup2(output, 1)
        os.dup2(output, 2)
        if connection != CONNECTION:
            os.dup2(connection, CONNECTION)
        os.closerange(CONNECTION + 1, 1 << 20)
        layers = seal(plan, scratch, folder)
        peer = Peer(Channel(socket.socket(fileno=CONNECTION), _NO_LIMIT), names={})
        peer.send(["value", encode(layers, peer), None])
        match peer.receive():
            case ["value", str(source), None]:
                _run(peer, source)
            case ["execute", list(command), dict(environment), int(connection)]:
                os.set_inheritable(CONNECTION, connection == CONNECTION)
                if connection != CONNECTION:
                    os.dup2(CONNECTION, connection)
                os.execve(command[0], command, environment)  # noqa: S606
    except ConnectionEnded:
        pass
    finally:
        os._exit(1)


def _run(peer: Peer, source: str) -> None:
    module = types.ModuleType(_NAME)
    sys.modules[_NAME] = module
    sys.argv[:], sys.orig_argv[:] = [_NAME], [_NAME]
    gc.enable()
    flush = sys.stdout.flush
    reply: list[Any]
    try:
        exec(compile(source, f"<{_NAME}>", "exec", dont_inherit=True), module.__dict__)  # noqa: S102
        reply = ["value", None, None]
    except BaseException as error:
        reply = failure(error)
    peer.names = module.__dict__
    while True:
        with contextlib.suppress(BaseException):
            flush()
        peer.send(reply)
        try:
            reply = peer.answer(peer.receive())
        except CodecError as error:
            reply = failure(error)
