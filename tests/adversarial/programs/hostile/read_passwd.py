# ruff: noqa
# expect: failed FileNotFoundError: \[Errno 2\] No such file or directory: '/etc/passwd'
# Reads the accounts of the host.
def task(numbers):
    return open("/etc/passwd").read()
