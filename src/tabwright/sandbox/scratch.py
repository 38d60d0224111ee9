"""A folder for what a scorer and its workers write on their way. It is removed at the end, and after a kill, later.

A lock on the folder says that its scorer lives: the system lets go of it however the scorer ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_PREFIX = "tabwright-scorer-"


class ScratchFolder:
    """One scorer's folder; those of scorers that have gone are removed when it is made.

    Attributes:
        path: where it lies.
    """

    def __init__(self) -> None:
        for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            with suppress(OSError):  # another's, or of one that lives
                os.close(_lock(left))
                shutil.rmtree(left, ignore_errors=True)
        unlocked = Path(tempfile.mkdtemp(prefix=".tabwright-"))  # not yet under a name that others would remove
        self._lock = _lock(unlocked)
        unlocked.chmod(0o755)  # programs, which are another user's, go through it to their own
        self.path = unlocked.rename(unlocked.with_name(f"{_PREFIX}{unlocked.name.removeprefix('.tabwright-')}"))

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _lock(folder: Path) -> int:
    """Return the descriptor that holds the lock.

    Raises:
        OSError: another process has it, or the folder is not ours.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
