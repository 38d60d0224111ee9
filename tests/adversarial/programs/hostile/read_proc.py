# ruff: noqa
# expect: failed FileNotFoundError: \[Errno 2\] No such file or directory: '/proc/1/maps'
# Reads the memory maps of its parent.
def task(numbers):
    return open("/proc/1/maps").read()
