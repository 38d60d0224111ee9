# ruff: noqa
# expect: failed PermissionError|failed OSError
# Keeps its hoard in anonymous files.
import os


def task(numbers):
    while True:
        os.write(os.memfd_create("hoard"), b"x" * (8 << 20))
