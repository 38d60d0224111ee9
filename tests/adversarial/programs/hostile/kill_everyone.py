# ruff: noqa
# expect: failed AssertionError|failed ProcessLookupError|failed PermissionError
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
