# ruff: noqa
# expect: passed
# Uses 200 megabytes.
import array


def task(numbers):
    big = array.array("d", bytes(200 << 20))
    big[-1] = 1.0
    return sorted(numbers)
