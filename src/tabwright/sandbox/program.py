"""Inside the forked child: shut every door, then run a Python program and answer calls, or become another program.

From `seal` on nothing here is trusted by the other side: the program shares this process and can change all of it.
Neither a test nor an expected answer ever comes here.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import resource
import socket
import sys
import types
from collections.abc import Callable
from typing import Any

from tabwright.sandbox.calls import Peer, failure
from tabwright.sandbox.channel import Channel, ConnectionEnded
from tabwright.sandbox.codec import CodecError, encode
from tabwright.sandbox.linux import kernel, landlock, root, seccomp

_NOBODY = 65534
_CHANNEL = 3
_NAME = "program"
# What a program may hold in messages is bounded by its own memory limit.
_NO_LIMIT = 1 << 32


def seal(plan: dict[str, Any], scratch: str, folder: str) -> dict[str, str]:
    """Give up every right that the program must not have.

    Args:
        plan: the server's plan: `limits`, `isolate`, `privileged`, `rights`, `landlock`, `filter`.
        scratch: the folder that the program may write to.
        folder: the name of the program's own folder among all builds; empty where it has none.

    Returns:
        The layers: an empty text where active, else why not.
    """
    layers: dict[str, str] = {}

    def attempt(layer: str, action: Callable[[], None]) -> None:
        try:
            action()
            layers[layer] = ""
        except (OSError, KeyError) as error:
            layers[layer] = str(error)

    limits = plan["limits"]
    if plan["isolate"]:
        layers["pid namespace"] = "" if os.getpid() == 1 else "not the first process"
        attempt("mount namespace", lambda: kernel.unshare(kernel.CLONE_NEWNS))
        attempt("network namespace", lambda: kernel.unshare(kernel.CLONE_NEWNET))
        attempt("ipc namespace", lambda: kernel.unshare(kernel.CLONE_NEWIPC))
        attempt("private files", lambda: _arrange_files(scratch, limits["scratch_bytes"], folder))
        if plan["privileged"]:
            attempt("ordinary user", _become_nobody)
        attempt("user namespace", lambda: kernel.unshare(kernel.CLONE_NEWUSER))
    else:
        os.setsid()
    os.chdir(scratch)
    attempt("resource limits", lambda: _limit(limits))
    attempt("no capabilities", kernel.drop_capabilities)
    attempt("no new privileges", kernel.forbid_new_privileges)
    if plan["landlock"]:
        execute = plan["rights"] != "none"
        attempt("landlock", lambda: landlock.restrict(plan["landlock"], scratch, execute=execute))
    else:
        layers["landlock"] = "the kernel has none"
    attempt("seccomp", lambda: seccomp.install(plan["filter"]))
    return layers


def _arrange_files(scratch: str, size: int, folder: str) -> None:
    options = f"size={size},nr_inodes=4096,mode=1777"
    kernel.mount("tmpfs", scratch, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC, options)
    if folder:
        root.show_program(folder)


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def limit_server(limits: dict[str, Any]) -> None:
    """Set, in the fork server, the limits that children inherit and that do not hinder the server."""
    kernel.limit(resource.RLIMIT_CORE, 0)
    kernel.limit(resource.RLIMIT_MEMLOCK, 0)
    kernel.limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    kernel.limit(resource.RLIMIT_NOFILE, limits["open_files"])
    kernel.limit(resource.RLIMIT_DATA, limits["memory_bytes"])
    kernel.limit(resource.RLIMIT_AS, limits["memory_bytes"] + limits["reserved_bytes"])


def _limit(limits: dict[str, Any]) -> None:
    kernel.limit(resource.RLIMIT_CPU, math.ceil(limits["timeout_s"]) + 1)
    kernel.limit(resource.RLIMIT_NPROC, limits["threads"])


def take_over(plan: dict[str, Any], connection: int, output: int, scratch: str, folder: str) -> None:
    """Turn this fresh child into the program's process. Never returns.

    Descriptors are 0: /dev/null, 1 and 2: `output`, 3: `connection`; every other is closed.
    """
    try:
        kernel.die_with_parent()
        os.dup2(output, 1)
        os.dup2(output, 2)
        if connection != _CHANNEL:
            os.dup2(connection, _CHANNEL)
        os.closerange(_CHANNEL + 1, 1 << 20)
        layers = seal(plan, scratch, folder)
        peer = Peer(Channel(socket.socket(fileno=_CHANNEL), _NO_LIMIT), names={})
        peer.send(["value", encode(layers, peer), None])
        match peer.receive():
            case ["value", str(source), None]:
                _run(peer, source)
            case ["execute", list(command), dict(environment)]:
                os.set_inheritable(_CHANNEL, True)
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
