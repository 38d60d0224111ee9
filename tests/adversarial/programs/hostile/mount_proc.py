# ruff: noqa
# expect: failed PermissionError: 1
# Mounts /proc over its scratch folder.
import ctypes


def task(numbers):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"proc", b"/tmp", b"proc", 0, None):
        raise PermissionError(ctypes.get_errno())
    return sorted(numbers)
