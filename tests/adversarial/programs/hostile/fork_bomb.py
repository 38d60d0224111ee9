# ruff: noqa
# expect: failed PermissionError
# Forks without end.
import os


def task(numbers):
    while True:
        os.fork()
