# ruff: noqa
# expect: failed PermissionError: \[Errno 1\] Operation not permitted
# Becomes another program.
import os
import sys


def task(numbers):
    os.execv("/lib64/ld-linux-x86-64.so.2", ["ld.so"])
