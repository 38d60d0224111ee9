"""Landlock: a second lock on files, TCP, abstract sockets and signals, held by another part of the kernel.

References:
    Linux, Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from tabwright.sandbox.linux import kernel

_NR_CREATE_RULESET = 444
_VERSION_FLAG, _RULE_PATH_BENEATH = 1, 1
_AT_FDCWD = -100
# The lowest descriptors that are free in a child.
_RULES, _OPENED = 4, 5

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
# The rights that each version of the interface knows, as the number of low bits set.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NET_RIGHTS = 0b11
_SCOPES = 0b11


def version() -> int:
    """Return the version of Landlock's interface, 0 where the kernel has none."""
    try:
        return kernel.syscall("landlock", *kernel.words(_NR_CREATE_RULESET, None, 0, _VERSION_FLAG))
    except OSError:
        return 0


def steps(abi: int, scratch: str, *, execute: bool = False) -> Iterator[tuple[str, tuple[int | bytes, ...], int]]:
    """Yield the calls that let a process read everything it can see, and write only below `scratch` and to devices.

    It runs nothing, or, with `execute`, whatever it can see but cannot write. Each call is its name, its arguments and
    what it must return: descriptors from 4 on must be free.
    """
    rights = (1 << _FILE_RIGHTS[min(abi, 5)]) - 1
    words = [rights, _NET_RIGHTS if abi >= 4 else 0, _SCOPES if abi >= 6 else 0]
    attributes = struct.pack("=3Q", *words)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    yield "landlock_create_ruleset", (attributes, len(attributes), 0), _RULES
    for path, allowed in (
        ("/", _READ_FILE | _READ_DIR | _EXECUTE * execute),
        ("/dev", (_READ_FILE | _WRITE_FILE) & rights),
        (scratch, rights & ~_EXECUTE),
    ):
        yield "openat", (_AT_FDCWD, path.encode(), os.O_PATH | os.O_CLOEXEC, 0), _OPENED
        yield "landlock_add_rule", (_RULES, _RULE_PATH_BENEATH, struct.pack("=Qi", allowed, _OPENED), 0), 0
        yield "close", (_OPENED,), 0
    yield "landlock_restrict_self", (_RULES, 0), 0
    yield "close", (_RULES,), 0
