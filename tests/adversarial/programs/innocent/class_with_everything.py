# ruff: noqa
# expect: passed
# Sorts with a class of its own that is never shown.
import functools


@functools.total_ordering
class Box:
    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return self.value == other.value

    def __lt__(self, other):
        return self.value < other.value


def task(numbers):
    return [box.value for box in sorted(map(Box, numbers))]
