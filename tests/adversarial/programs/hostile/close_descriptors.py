# ruff: noqa
# expect: crashed (exited with status 1 before its tests were done|killed by SIGKILL)
# Closes everything, its connection too.
import os


def task(numbers):
    os.closerange(0, 64)
