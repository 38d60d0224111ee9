# ruff: noqa
# expect: failed AssertionError|timeout no result within 3 s
# Answers with a set whose members all have the same hash.
def task(numbers):
    return {i * ((1 << 61) - 1) for i in range(1, 3000)}
