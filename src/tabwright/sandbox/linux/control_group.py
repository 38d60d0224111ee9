"""A control group (cgroup v2) around a fork server: a limit on what all of its processes hold together.

Resource limits bind one process each, and a compiler starts several. A group is made where the kernel has version 2
with the controllers of memory and processes, and where the scorer may write: as root, or below a group that is the
user's own. Elsewhere nothing is lost but this second lock.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PREFIX = "tabwright-"
_CONTROLLERS = ("memory", "pids")
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
        self.reason = "no cgroup v2 with the controllers of memory and processes that may be written to"
        self._folder: Path | None = None
        for parent in _parents():
            try:
                self._folder = _make(parent)
                _limit(self._folder, memory_bytes, processes)
            except OSError as error:
                self.reason = f"{parent}: {error.strerror}"
                self.close()
            else:
                self.reason = ""
                return

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


def _parents() -> Iterator[Path]:
    """Yield the folders of groups in which one may be made: this process's own, and the one above it."""
    mounts = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    own = [line for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines() if line.startswith("0::/")]
    mounted = [line.split()[4] for line in mounts if " - cgroup2 " in line]
    if not own or not mounted:
        return
    folder = Path(mounted[0], own[0].removeprefix("0::/"))
    # A group with processes of its own, as this one is, may have no limited ones in it; the topmost alone may.
    for parent in [folder, folder.parent] if folder != Path(mounted[0]) else [folder]:
        with suppress(OSError):
            if set(_CONTROLLERS) <= set((parent / "cgroup.controllers").read_text().split()):
                yield parent


def _make(parent: Path) -> Path:
    for left in parent.glob(f"{_PREFIX}*"):
        maker = left.name.removeprefix(_PREFIX).split("-")[0]
        if not Path("/proc", maker).exists():
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
