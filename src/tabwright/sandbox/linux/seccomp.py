"""The list of system calls that a program may make; every other fails with EPERM. BPF, assembled by hand.

Allowed are memory, files, clocks, signals, polling and threads; where told so, becoming another program (`execute`),
and starting processes too (`processes`). Not allowed are, among others: every socket but a local pair, namespaces,
mounts, tracing, keys, bpf, io_uring, memfd, System V and POSIX queues. The numbers are in `syscalls.json`.

References:
    Linux, Documentation/userspace-api/seccomp_filter.rst; include/uapi/linux/filter.h.
"""

from __future__ import annotations

import errno
import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_LEAST, _JUMP_IF_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_REFUSE, _UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS

# Offsets in struct seccomp_data; the low half of an argument comes first on both machines.
_NUMBER, _MACHINE, _ARGUMENT_0, _ARGUMENT_1 = 0, 4, 16, 24
_MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_CLONE_THREAD = 0x00010000
_AF_UNIX = 1
_PR_SET_NAME, _PR_GET_NAME = 15, 16
# FIONREAD, FIONBIO, TCGETS, TIOCGWINSZ, FIONCLEX, FIOCLEX
_IOCTLS = (0x541B, 0x5421, 0x5401, 0x5413, 0x5450, 0x5451)


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _only(number: int, argument: int, values: Sequence[int]) -> Iterator[bytes]:
    """Call `number` only with one of `values` as an argument."""
    yield _op(_JUMP_IF_EQUAL, number, 0, len(values) + 3)
    yield _op(_LOAD, argument)
    for index, value in enumerate(values):
        yield _op(_JUMP_IF_EQUAL, value, len(values) - index, 0)
    yield _op(_RETURN, _REFUSE)
    yield _op(_RETURN, _ALLOW)


def _threads_only(number: int) -> Iterator[bytes]:
    yield _op(_JUMP_IF_EQUAL, number, 0, 4)
    yield _op(_LOAD, _ARGUMENT_0)
    yield _op(_JUMP_IF_BITS, _CLONE_THREAD, 1, 0)
    yield _op(_RETURN, _REFUSE)
    yield _op(_RETURN, _ALLOW)


def _steps(allowed: set[int]) -> list[tuple[int, int]]:
    """Return (number, verdict) pairs: the verdict holds from that number to the next pair's."""
    steps = [(0, _ALLOW if 0 in allowed else _REFUSE)]
    for number in range(1, max(allowed) + 2):
        verdict = _ALLOW if number in allowed else _REFUSE
        if verdict != steps[-1][1]:
            steps.append((number, verdict))
    return steps


def _search(steps: list[tuple[int, int]]) -> list[bytes]:
    """A binary search: the kernel walks the filter for every call number when it is installed, for each program."""
    if len(steps) == 1:
        return [_op(_RETURN, steps[0][1])]
    middle = len(steps) // 2
    lower, upper = _search(steps[:middle]), _search(steps[middle:])
    return [_op(_JUMP_IF_LEAST, steps[middle][0], len(lower), 0), *lower, *upper]


def program(machine: str, *, execute: bool = False, processes: bool = False) -> bytes:
    """Return the filter for `machine` as BPF instructions.

    Raises:
        KeyError: the machine is neither x86_64 nor aarch64.
    """
    table = json.loads(Path(__file__).with_name("syscalls.json").read_text(encoding="ascii"))
    checked = {name: numbers[machine] for name, numbers in table["checked"].items()}
    groups = ["allowed"] + ["execute"] * execute + ["processes"] * processes
    allowed = [numbers[machine] for group in groups for numbers in table[group].values() if machine in numbers]
    code = [_op(_LOAD, _MACHINE), _op(_JUMP_IF_EQUAL, _MACHINES[machine], 1, 0), _op(_RETURN, _KILL)]
    code.append(_op(_LOAD, _NUMBER))
    # The C library takes "no such call" as a reason to use clone, whose flags can be looked at.
    code += [_op(_JUMP_IF_EQUAL, checked["clone3"], 0, 1), _op(_RETURN, _UNKNOWN)]
    if processes:
        allowed.append(checked["clone"])
    else:
        code += _threads_only(checked["clone"])
    code += _only(checked["socketpair"], _ARGUMENT_0, (_AF_UNIX,))
    code += _only(checked["ioctl"], _ARGUMENT_1, _IOCTLS)
    code += _only(checked["prctl"], _ARGUMENT_0, (_PR_SET_NAME, _PR_GET_NAME))
    code += _search(_steps(set(allowed)))
    return b"".join(code)
