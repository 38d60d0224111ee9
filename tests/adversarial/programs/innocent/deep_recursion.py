# ruff: noqa
# expect: passed
# Recurses deeply.
import sys

sys.setrecursionlimit(50_000)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def task(numbers):
    assert depth(20_000) == 20_000
    return sorted(numbers)
