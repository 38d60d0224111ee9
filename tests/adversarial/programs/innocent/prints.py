# ruff: noqa
# expect: passed
# Prints, to both streams.
import sys


def task(numbers):
    print("working on", numbers)
    print("still working", file=sys.stderr, flush=True)
    return sorted(numbers)
