# ruff: noqa
# expect: timeout no result within 3 s
# Never ends.
def task(numbers):
    while True:
        pass
