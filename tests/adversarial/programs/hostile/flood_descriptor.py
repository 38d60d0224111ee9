# ruff: noqa
# expect: output wrote more than 1048576 bytes
# Floods standard error past Python.
import os


def task(numbers):
    while True:
        os.write(2, b"x" * 65536)
