# ruff: noqa
# expect: failed (ProcessLookupError: \[Errno 3\] No such process|PermissionError: \[Errno 1\] Operation not permitted)
# Sends SIGKILL to every process it can name.
import os
import signal


def task(numbers):
    for process in range(2, 5000):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os.kill(-1, signal.SIGKILL)
