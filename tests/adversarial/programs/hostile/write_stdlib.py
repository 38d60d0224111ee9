# ruff: noqa
# expect: failed (OSError: \[Errno 30\]|PermissionError: \[Errno 13\]) .*/json/__init__\.py'
# Plants code in the standard library for the next program.
import json


def task(numbers):
    open(json.__file__, "a").write("x = 1")
