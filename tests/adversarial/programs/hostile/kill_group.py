# ruff: noqa
# expect: failed ValueError: group 1
# Sends SIGKILL to its process group, which is nobody's but its own.
import os
import signal


def task(numbers):
    os.kill(0, signal.SIGKILL)
    raise ValueError(f"group {os.getpgrp()}")
