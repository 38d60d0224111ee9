# ruff: noqa
# expect: failed PermissionError: \[Errno 1\] Operation not permitted
# Forks without end.
import os


def task(numbers):
    while True:
        os.fork()
