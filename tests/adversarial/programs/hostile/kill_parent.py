# ruff: noqa
# expect: failed AssertionError: nobody to kill
# Kills its parent, whoever that is.
import os
import signal


def task(numbers):
    assert os.getppid() == 0
    try:
        os.kill(os.getppid(), signal.SIGKILL)
    except OSError:
        pass
    raise AssertionError("nobody to kill")
