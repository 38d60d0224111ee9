# ruff: noqa
# expect: failed AssertionError
# Leaves a file for the next program, and looks for one.
import os


def task(numbers):
    if os.listdir("/tmp"):
        return sorted(numbers)
    open("/tmp/note", "w").write("x")
