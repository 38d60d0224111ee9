# ruff: noqa
# expect: failed PermissionError: 1
# Makes a namespace in which it would be root.
import ctypes
import os


def task(numbers):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x10000000):
        raise PermissionError(ctypes.get_errno())
    return sorted(numbers)
