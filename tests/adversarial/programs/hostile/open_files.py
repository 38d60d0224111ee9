# ruff: noqa
# expect: failed OSError: \[Errno 24\] Too many open files: '/dev/null'
# Opens files without end.
def task(numbers):
    return len([open("/dev/null") for _ in range(100_000)])
