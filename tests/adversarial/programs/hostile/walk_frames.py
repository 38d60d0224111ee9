# ruff: noqa
# expect: failed LookupError: no test in any frame
# Looks for the tests in the frames of its callers.
import sys


def task(numbers):
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if callable(value) and getattr(value, "__name__", "") == "check":
                return sorted(numbers)
        frame = frame.f_back
    raise LookupError("no test in any frame")
