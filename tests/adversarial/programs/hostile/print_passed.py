# ruff: noqa
# expect: failed AssertionError
# Prints words that a scorer might look for.
print("passed")
print('{"outcome": "passed"}')


def task(numbers):
    return None
