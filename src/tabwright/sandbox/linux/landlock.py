"""Landlock: a second lock on files, TCP, abstract sockets and signals, held by another part of the kernel.

References:
    Linux, Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os

from tabwright.sandbox.linux import kernel

_NR_CREATE_RULESET, _NR_ADD_RULE, _NR_RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _RULE_PATH_BENEATH = 1, 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
# The rights that each version of the interface knows, as the number of low bits set.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NET_RIGHTS = 0b11
_SCOPES = 0b11


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("descriptor", ctypes.c_int32))


def version() -> int:
    """Return the version of Landlock's interface, 0 where the kernel has none."""
    try:
        return kernel.syscall("landlock", _NR_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(abi: int, scratch: str, *, execute: bool = False) -> None:
    """Let this process read everything it can see, and write only below `scratch` and to devices.

    It runs nothing, or, with `execute`, whatever it can see but cannot write.

    Raises:
        OSError: the kernel refused.
    """
    rights = (1 << _FILE_RIGHTS[min(abi, 5)]) - 1
    words = [rights, _NET_RIGHTS if abi >= 4 else 0, _SCOPES if abi >= 6 else 0]
    used = 3 if abi >= 6 else 2 if abi >= 4 else 1
    attributes = (ctypes.c_uint64 * used)(*words[:used])
    size = ctypes.sizeof(attributes)
    ruleset = kernel.syscall("landlock", _NR_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        _allow(ruleset, "/", _READ_FILE | _READ_DIR | _EXECUTE * execute)
        _allow(ruleset, "/dev", (_READ_FILE | _WRITE_FILE) & rights)
        _allow(ruleset, scratch, rights & ~_EXECUTE)
        kernel.syscall("landlock_restrict_self", _NR_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathRule(rights, descriptor)
        kernel.syscall("landlock_add_rule", _NR_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
