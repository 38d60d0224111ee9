# ruff: noqa
# expect: failed CodecError: not a message
# Writes to every inherited descriptor.
import os


def task(numbers):
    for descriptor in range(64):
        try:
            os.write(descriptor, b'\x00\x00\x00\x08"passed"')
        except OSError:
            pass
