# ruff: noqa
# expect: passed
# Survives an allocation that is too large.
def task(numbers):
    try:
        bytearray(8 << 30)
    except MemoryError:
        return sorted(numbers)
