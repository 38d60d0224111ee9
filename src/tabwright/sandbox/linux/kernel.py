"""The few Linux system calls that Python does not offer, through ctypes. Every failure is an `OSError`."""

from __future__ import annotations

import ctypes
import os
import resource
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
MNT_DETACH = 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 1, 2, 4

# These numbers are the same on x86_64 and aarch64, as for every system call younger than 2019.
_NR_MOUNT_SETATTR = 442
_NR_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_PR_SET_PDEATHSIG, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_SYS_ADMIN = 1, 47, 2, 21
_CAPABILITY_HEADER = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3 and the calling thread
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
# Calls through this one keep Python's global lock.
_locked_libc = ctypes.PyDLL(None, use_errno=True)


def _checked(value: int, what: str) -> int:
    if value < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return value


def words(*arguments: object) -> list[object]:
    """Return what `syscall` is given: numbers as wide as the kernel reads them."""
    return [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]


def syscall(what: str, *words: object) -> int:
    """Call the kernel directly with a call's number and arguments; `what` names the call in errors."""
    return _checked(_libc.syscall(*words), what)


def fork() -> int:
    """Fork a process that has one thread, at half of the cost of `os.fork`.

    Python then does not mend what only other threads could have left broken, nor give a new state to `random`, which
    the fork server does not need.
    """
    try:
        fork = _locked_libc._Fork
    except AttributeError:  # the C library is older than POSIX.1-2024
        return os.fork()
    return _checked(fork(), "fork")


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for fresh ones."""
    _checked(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Enter the namespace of a descriptor."""
    _checked(_libc.setns(descriptor, kind), "setns")


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Attach a file system, or bind a part of one."""
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    result = _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3])
    _checked(result, f"mount {target}")


def unmount(target: str) -> None:
    """Take a mount away, in this mount namespace."""
    _checked(_libc.umount2(os.fsencode(target), MNT_DETACH), f"unmount {target}")


def make_read_only(target: str, *, recursive: bool, device: bool = False) -> None:
    """Make a mount read-only, without set-uid programs or, unless it is one, devices; it keeps its other flags."""
    syscall("mount_setattr", *words(_NR_MOUNT_SETATTR, *read_only(target, recursive=recursive, device=device)))


def read_only(target: str, *, recursive: bool, device: bool = False) -> tuple[int | bytes, ...]:
    """Return the arguments of the call that makes a mount read-only."""
    flags = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | (0 if device else MOUNT_ATTR_NODEV)
    attributes = struct.pack("=4Q", flags, 0, 0, 0)
    return _AT_FDCWD, os.fsencode(target), _AT_RECURSIVE if recursive else 0, attributes, len(attributes)


def enter_root(path: str) -> None:
    """Make `path`, a mount point, the root directory, and let go of the old root."""
    os.chdir(path)
    syscall("pivot_root", *words(_NR_PIVOT_ROOT[os.uname().machine], b".", b"."))
    unmount(".")
    os.chdir("/")


def set_hostname(name: str) -> None:
    """Name the host of this UTS namespace."""
    encoded = os.fsencode(name)
    _checked(_libc.sethostname(encoded, len(encoded)), "sethostname")


def _prctl(what: str, option: int, *arguments: int) -> None:
    words = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    _checked(_libc.prctl(option, *words), what)


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends, however it ends."""
    _prctl("PR_SET_PDEATHSIG", _PR_SET_PDEATHSIG, 9)


def keep_administration() -> None:
    """Keep, in the program that this process becomes, the right to make namespaces and mounts."""
    everything = (ctypes.c_uint32 * 6)(*_capabilities())
    everything[2], everything[5] = everything[1], everything[4]  # what is permitted may be inherited
    _checked(_libc.capset(_CAPABILITY_HEADER, everything), "capset")
    _prctl("PR_CAP_AMBIENT", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_SYS_ADMIN)


def _capabilities() -> ctypes.Array[ctypes.c_uint32]:
    """Return this thread's capability sets: effective, permitted and inheritable, low words and then high ones."""
    sets = (ctypes.c_uint32 * 6)()
    _checked(_libc.capget(_CAPABILITY_HEADER, sets), "capget")
    return sets


def limits(kind: int, value: int) -> bytes:
    """Return a resource limit, soft and hard, as the kernel reads it, no higher than the hard limit in force."""
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    return struct.pack("=QQ", value, value)


def limit(kind: int, value: int) -> None:
    """Set a resource limit, soft and hard, without asking for more than the hard limit in force."""
    soft, hard = struct.unpack("=QQ", limits(kind, value))
    resource.setrlimit(kind, (soft, hard))
