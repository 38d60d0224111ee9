# ruff: noqa
# expect: memory
# Wants sixteen gigabytes.
def task(numbers):
    return [0] * (2 << 30)
