# ruff: noqa
# expect: failed (PermissionError|OSError): \[Errno 1\] Operation not permitted
# Becomes user 0.
import os


def task(numbers):
    os.setuid(0)
    return sorted(numbers)
