# ruff: noqa
# expect: output
# Prints without end.
def task(numbers):
    while True:
        print("x" * 1000)
