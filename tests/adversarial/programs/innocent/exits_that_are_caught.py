# Leaves by an exit, and stays.
# expect: passed
import contextlib
import sys


def task(numbers):
    with contextlib.suppress(SystemExit):
        sys.exit(3)
    return sorted(numbers)
