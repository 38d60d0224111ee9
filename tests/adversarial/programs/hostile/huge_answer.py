# ruff: noqa
# expect: output an answer of \d+ bytes; 16777216 are accepted
# Answers with more than anyone wants to read.
def task(numbers):
    return "x" * (40 << 20)
