# ruff: noqa
# expect: failed PermissionError|failed OSError
# Becomes user 0.
import os


def task(numbers):
    os.setuid(0)
    return sorted(numbers)
