"""A control group (cgroup v2) around a fork server: a limit on what all of its processes hold together.

Resource limits bind one process each, and a compiler starts several. A group is made where the kernel has version 2
with the controllers of memory and processes, and where the scorer may write: as root, or below a group that is the
user's own. Elsewhere nothing is lost but this second lock.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import time
from contextlib import suppress
from pathlib import Path

_PREFIX = "tabwright-"
_NAME = re.compile(rf"{_PREFIX}(\d+)-\d+")
_CONTROLLERS = ("memory", "pids")
_LIMITS = ("memory.max", "memory.high", "pids.max", "cpu.max")
_EMPTYING_S = 2.0
_counter = itertools.count()


class ControlGroup:
    """One group; groups of scorers that were killed are removed when it is made.

    Args:
        memory_bytes: what its processes may hold together, files in memory among it; none of it is swapped out.
        processes: how many there may be, threads included.

    Attributes:
        reason: why there is none; empty where there is one.
    """

    def __init__(self, memory_bytes: int, processes: int) -> None:
        self.reason = ""
        self._folder: Path | None = None
        try:
            self._folder = _make(_parent())
            _limit(self._folder, memory_bytes, processes)
        except OSError as error:
            self.reason = f"{error.filename or 'cgroup v2'}: {error.strerror}"
            self.close()

    def add(self, pid: int) -> None:
        """Move a process into the group; what it starts from now on is in it as well."""
        if self._folder is None:
            return
        try:
            (self._folder / "cgroup.procs").write_text(str(pid))
        except OSError as error:
            self.reason = f"a process cannot be moved into {self._folder}: {error.strerror}"
            self.close()

    def close(self) -> None:
        """End what is left in the group, and remove it."""
        folder, self._folder = self._folder, None
        if folder is None:
            return
        with suppress(OSError):
            (folder / "cgroup.kill").write_text("1")
        last = time.monotonic() + _EMPTYING_S
        while not _removed(folder) and time.monotonic() < last:
            time.sleep(0.001)


def _parent() -> Path:
    """Return the group in which one may be made: the topmost one if it is this process's, else that above its own.

    A group with processes of its own, as this process's is, may have no limited ones in it; the topmost alone may.

    Raises:
        OSError: there is none, or programs would leave limits that somebody set for the scorer's own group.
    """
    mounts = os.fsdecode(Path("/proc/self/mountinfo").read_bytes()).splitlines()
    groups = os.fsdecode(Path("/proc/self/cgroup").read_bytes()).splitlines()
    own = [line.removeprefix("0::/") for line in groups if line.startswith("0::/")]
    mounted = [line.split()[4] for line in mounts if " - cgroup2 " in line]
    if not own or not mounted:
        raise OSError(errno.ENOENT, "this machine has none")
    top, folder = Path(mounted[0]), Path(mounted[0], own[0])
    parent = top if folder == top else folder.parent
    missing = set(_CONTROLLERS) - set((parent / "cgroup.controllers").read_text().split())
    if missing:
        raise OSError(errno.ENOTSUP, f"no controller of {' and '.join(sorted(missing))}", str(parent))
    for limit in _LIMITS if folder != parent else ():
        with suppress(FileNotFoundError):
            if (folder / limit).read_text().split()[0] != "max":
                raise OSError(errno.EPERM, "limits the scorer, and programs would leave the limit", str(folder / limit))
    return parent


def _make(parent: Path) -> Path:
    for left in parent.glob(f"{_PREFIX}*"):
        made = _NAME.fullmatch(left.name)
        if made and not Path("/proc", made[1]).exists():
            _removed(left)
    passed_on = (parent / "cgroup.subtree_control").read_text().split()
    if wanted := [f"+{name}" for name in _CONTROLLERS if name not in passed_on]:
        (parent / "cgroup.subtree_control").write_text(" ".join(wanted))
    folder = parent / f"{_PREFIX}{os.getpid()}-{next(_counter)}"
    folder.mkdir()
    return folder


def _limit(folder: Path, memory_bytes: int, processes: int) -> None:
    (folder / "memory.max").write_text(str(memory_bytes))
    (folder / "pids.max").write_text(str(processes))
    swap = folder / "memory.swap.max"
    if swap.exists():
        swap.write_text("0")


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
