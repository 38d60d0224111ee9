# ruff: noqa
# expect: memory MemoryError
# Grows until there is nothing left.
def task(numbers):
    hoard = []
    while True:
        hoard.append(bytearray(64 << 20))
