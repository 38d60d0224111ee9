# ruff: noqa
# expect: crashed
# Closes everything, its connection too.
import os


def task(numbers):
    os.closerange(0, 64)
