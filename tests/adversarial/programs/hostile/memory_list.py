# ruff: noqa
# expect: memory MemoryError
# Wants sixteen gigabytes.
def task(numbers):
    return [0] * (2 << 30)
