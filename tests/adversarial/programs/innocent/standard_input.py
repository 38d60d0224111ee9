# ruff: noqa
# expect: passed
# Reads standard input, which is at its end.
import sys

assert sys.stdin.read() == ""


def task(numbers):
    try:
        input()
    except EOFError:
        return sorted(numbers)
