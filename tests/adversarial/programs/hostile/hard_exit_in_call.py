# ruff: noqa
# expect: crashed exited with status 0 before its tests were done
# Ends the process with status 0 in the first call.
import os


def task(numbers):
    os._exit(0)
