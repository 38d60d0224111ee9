# ruff: noqa
# expect: failed AssertionError
# Answers with an iterator that never ends.
import itertools


def task(numbers):
    return itertools.count()
