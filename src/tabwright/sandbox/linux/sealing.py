"""Sealing as a list of system calls: the fork server draws it up, and each child carries it out, in whatever language.

So there is one account of what a child gives up. A call that does not return what it must leaves its layer inactive.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tabwright.sandbox.linux import kernel, landlock, root

Argument = int | bytes | tuple[bytes, bytes]
"""A number; the address of bytes; or the address of bytes that are followed by the address of others."""

_NOBODY = 65534
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
# Version 3 and the calling thread; then three empty sets of 64 bits.
_CAPABILITY_HEADER, _NO_CAPABILITIES = struct.pack("=II", 0x20080522, 0), bytes(24)
_WORDS = 6

_TABLE = json.loads(Path(__file__).with_name("syscalls.json").read_text(encoding="ascii"))["sealing"]
# Read once: a child no longer sees the file.
_NUMBERS = {name: numbers[os.uname().machine] for name, numbers in _TABLE.items() if os.uname().machine in numbers}


class Call(NamedTuple):
    """One system call, the layer that it belongs to, and what it must return."""

    layer: str
    name: str
    arguments: tuple[Argument, ...]
    result: int = 0


def calls(plan: Mapping[str, Any], scratch: str, folder: str) -> list[Call]:
    """Return what a child does to give up every right that its program must not have.

    Args:
        plan: the server's plan: `limits`, `isolate`, `privileged`, `rights`, `landlock`, `filter`.
        scratch: the folder that the program may write to.
        folder: the name of the program's own folder among all builds; empty where it has none.
    """
    limits = plan["limits"]
    sealed = [*_isolate(plan["privileged"], scratch, limits["scratch_bytes"], folder)] if plan["isolate"] else []
    sealed.append(Call("resource limits", "chdir", (scratch.encode(),)))
    for kind, value in ((resource.RLIMIT_CPU, limits["cpu_s"]), (resource.RLIMIT_NPROC, limits["threads"])):
        sealed.append(Call("resource limits", "prlimit64", (0, kind, kernel.limits(kind, value), 0)))
    # Not earlier: a change of user takes it back.
    sealed.append(Call("resource limits", "prctl", (_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)))
    # The bounding set matters only to a process that gains rights by starting a program, which the next layer forbids.
    sealed.append(Call("no capabilities", "capset", (_CAPABILITY_HEADER, _NO_CAPABILITIES)))
    sealed.append(Call("no capabilities", "prctl", (_PR_SET_DUMPABLE, 0, 0, 0, 0)))
    sealed.append(Call("no new privileges", "prctl", (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
    if plan["landlock"]:
        steps = landlock.steps(plan["landlock"], scratch, execute=plan["rights"] != "none")
        sealed += [Call("landlock", *step) for step in steps]
    rules = (struct.pack("=H6x", len(plan["filter"]) // 8), plan["filter"])
    sealed.append(Call("seccomp", "prctl", (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, rules, 0, 0)))
    return sealed


def _isolate(privileged: bool, scratch: str, size: int, folder: str) -> Iterator[Call]:
    # Without it the program could name its process group, in which the tester is.
    yield Call("own session", "setsid", (), 1)
    yield Call("mount namespace", "unshare", (kernel.CLONE_NEWNS,))
    options = f"size={size},nr_inodes=4096,mode=1777".encode()
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    yield Call("private files", "mount", (b"tmpfs", scratch.encode(), b"tmpfs", flags, options))
    if folder:
        for name, arguments in root.show_program(folder):
            yield Call("private files", name, arguments)
    if privileged:
        yield Call("ordinary user", "setgroups", (0, 0))
        yield Call("ordinary user", "setresgid", (_NOBODY, _NOBODY, _NOBODY))
        yield Call("ordinary user", "setresuid", (_NOBODY, _NOBODY, _NOBODY))
    yield Call("user namespace", "unshare", (kernel.CLONE_NEWUSER,))


class Sealing:
    """A list made ready, so that a child has as little to do as can be.

    Attributes:
        layers: each layer with an empty text, or, once performed, why it is not active.
    """

    def __init__(self, sealed: Sequence[Call]) -> None:
        self.layers = dict.fromkeys(layer_names(sealed), "")
        self._steps = [
            (call, kernel.words(_NUMBERS.get(call.name, -1), *map(_address, call.arguments))) for call in sealed
        ]

    def perform(self) -> bool:
        """Carry the list out in this process; return whether every layer is active."""
        layers = self.layers
        for call, words in self._steps:
            if layers[call.layer]:
                continue
            try:
                got = kernel.syscall(call.name, *words)
            except OSError as error:
                layers[call.layer] = str(error)
            else:
                if got != call.result:
                    layers[call.layer] = f"{call.name} returned {got}"
        return not any(layers.values())


def pack(sealed: list[Call]) -> bytes:
    """Return a list as bytes, for a child that is no Python.

    In words of 64 bits: how many calls, how many addresses in the data, the data's size. Each call: its layer, what it
    must return, its number, a bit for each argument that is an offset into the data, six arguments. Each address: where
    it stands and what it leads to, as offsets. Then the data.
    """
    layers = layer_names(sealed)
    words: list[int] = []
    addresses: list[int] = []
    data = bytearray()

    def place(content: bytes) -> int:
        at = len(data)
        data.extend(content + bytes(-len(content) % 8 or 8))  # aligned, and with a zero at the end of texts
        return at

    for call in sealed:
        arguments, pointers = [0] * _WORDS, 0
        for index, argument in enumerate(call.arguments):
            if isinstance(argument, int):
                arguments[index] = argument
                continue
            pointers |= 1 << index
            if isinstance(argument, bytes):
                arguments[index] = place(argument)
                continue
            before, target = argument
            arguments[index] = place(before + bytes(8))
            addresses += [arguments[index] + len(before), place(target)]
        words += [layers.index(call.layer), call.result, _NUMBERS[call.name], pointers, *arguments]
    head = [len(sealed), len(addresses) // 2, len(data)]
    return struct.pack(f"={len(head + words + addresses)}q", *head, *words, *addresses) + bytes(data)


def layer_names(sealed: Sequence[Call]) -> list[str]:
    """Return the names of a list's layers."""
    return list(dict.fromkeys(call.layer for call in sealed))


def _address(argument: Argument) -> object:
    if not isinstance(argument, tuple):
        return argument
    before, target = argument
    kept = ctypes.create_string_buffer(target, len(target))
    made = ctypes.create_string_buffer(before + struct.pack("=Q", ctypes.addressof(kept)))
    made.kept = kept  # type: ignore[attr-defined]  # it must live as long
    return made
