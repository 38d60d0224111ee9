# ruff: noqa
# expect: timeout
# Never ends.
def task(numbers):
    while True:
        pass
