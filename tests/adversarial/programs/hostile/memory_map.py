# ruff: noqa
# expect: failed OSError: \[Errno 12\] Cannot allocate memory
# Maps shared memory, which no heap limit counts.
import mmap


def task(numbers):
    hoard = []
    while True:
        region = mmap.mmap(-1, 64 << 20)
        region[0] = 1
        hoard.append(region)
