# ruff: noqa
# expect: timeout no result within 3 s
# Never comes back from C code.
import re


def task(numbers):
    re.match(r"(a+)+$", "a" * 60 + "b")
