"""The filter is well formed for both machines, and its search agrees with the table for every call number."""

from __future__ import annotations

import errno
import json
import struct
from pathlib import Path

import pytest

from tabwright.sandbox.linux import seccomp

TABLE = json.loads(Path(seccomp.__file__).with_name("syscalls.json").read_text())
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS


def verdict(code: bytes, machine: int, number: int, *arguments: int) -> int:
    """Run the filter as the kernel does."""
    data = struct.pack("=IIQ6Q", number, machine, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    at = accumulator = 0
    while True:
        operation, true, false, value = struct.unpack_from("=HBBI", code, at * 8)
        at += 1
        if operation == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif operation == 0x06:
            return int(value)
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[operation]
            at += true if holds else false


@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_gets_the_verdict_of_the_table(machine: str) -> None:
    code = seccomp.program(machine)
    allowed = {numbers[machine] for numbers in TABLE["allowed"].values() if machine in numbers}
    checked = {numbers[machine] for numbers in TABLE["checked"].values()}
    for number in set(range(1024)) - checked:
        assert verdict(code, MACHINES[machine], number) == (ALLOW if number in allowed else EPERM), number
    assert verdict(code, MACHINES[machine], 0x40000000) == EPERM
    assert verdict(code, 0x40000003, 1) == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_arguments_are_looked_at(machine: str) -> None:
    code, arch = seccomp.program(machine), MACHINES[machine]
    clone, pair, ioctl, prctl, clone3 = (
        TABLE["checked"][name][machine] for name in ("clone", "socketpair", "ioctl", "prctl", "clone3")
    )
    assert verdict(code, arch, clone, 0x3D0F00) == ALLOW  # what pthread_create asks for
    assert verdict(code, arch, clone, 17) == EPERM  # fork
    assert verdict(code, arch, clone3) == ENOSYS
    assert (verdict(code, arch, pair, 1), verdict(code, arch, pair, 2)) == (ALLOW, EPERM)
    assert (verdict(code, arch, ioctl, 0, 0x5401), verdict(code, arch, ioctl, 0, 0x5412)) == (ALLOW, EPERM)
    assert (verdict(code, arch, prctl, 15), verdict(code, arch, prctl, 4)) == (ALLOW, EPERM)


def test_an_unknown_machine_is_an_error() -> None:
    with pytest.raises(KeyError):
        seccomp.program("vax")
