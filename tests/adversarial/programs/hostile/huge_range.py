# ruff: noqa
# expect: failed
# Answers with a range that takes for ever to list.
def task(numbers):
    return range(1 << 62)
