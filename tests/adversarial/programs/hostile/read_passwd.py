# ruff: noqa
# expect: failed FileNotFoundError
# Reads the accounts of the host.
def task(numbers):
    return open("/etc/passwd").read()
