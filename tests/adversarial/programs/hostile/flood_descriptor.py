# ruff: noqa
# expect: output
# Floods standard error past Python.
import os


def task(numbers):
    while True:
        os.write(2, b"x" * 65536)
