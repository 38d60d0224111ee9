# ruff: noqa
# expect: failed (PermissionError: \[Errno 1\] Operation not permitted|OSError: \[Errno (24|27|28)\] .*)
# Keeps its hoard in anonymous files.
import os


def task(numbers):
    while True:
        os.write(os.memfd_create("hoard"), b"x" * (8 << 20))
