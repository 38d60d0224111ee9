# ruff: noqa
# expect: output
# Answers with more than anyone wants to read.
def task(numbers):
    return "x" * (40 << 20)
