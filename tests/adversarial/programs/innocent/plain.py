# ruff: noqa
# expect: passed
# Does its work.
def task(numbers):
    return sorted(numbers)
