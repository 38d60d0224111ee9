# ruff: noqa
# expect: failed AssertionError
# Defines the names that a test defines.
def check(candidate):
    return None


METADATA = {}


def task(numbers):
    return None
