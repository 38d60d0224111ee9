# ruff: noqa
# expect: output wrote more than 1048576 bytes
# Prints without end.
def task(numbers):
    while True:
        print("x" * 1000)
