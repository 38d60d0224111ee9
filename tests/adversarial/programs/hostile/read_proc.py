# ruff: noqa
# expect: failed FileNotFoundError
# Reads the memory maps of its parent.
def task(numbers):
    return open("/proc/1/maps").read()
