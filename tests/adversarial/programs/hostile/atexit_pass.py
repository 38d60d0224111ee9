# ruff: noqa
# expect: failed AssertionError
# Registers work for the end, which never comes.
import atexit
import os

atexit.register(os._exit, 0)


def task(numbers):
    return None
