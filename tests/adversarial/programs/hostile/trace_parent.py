# ruff: noqa
# expect: failed PermissionError: 1
# Attaches to another process.
import ctypes


def task(numbers):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, 1, 0, 0) < 0:
        raise PermissionError(ctypes.get_errno())
    return sorted(numbers)
