# ruff: noqa
# expect: failed ValueError: \[30, 30, 30, 30\]
# Leaves a note for the next program in the times of the devices.
import os


def task(numbers):
    told = []
    for name in ("null", "zero", "random", "urandom"):
        try:
            os.utime(f"/dev/{name}", (1, 1))
        except OSError as error:
            told.append(error.errno)
    with open("/dev/null", "w") as nowhere, open("/dev/zero", "rb") as zeros:
        nowhere.write("x")
        zeros.read(1)
    raise ValueError(told)
