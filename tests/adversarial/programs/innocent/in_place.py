# ruff: noqa
# expect: passed
# Sorts in place and answers with the same list.
def task(numbers):
    numbers.sort()
    return numbers
