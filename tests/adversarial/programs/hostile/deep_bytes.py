# ruff: noqa
# expect: failed CodecError: an answer that is nested too deeply
# Sends a million brackets past the encoder.
import os
import struct


def task(numbers):
    frame = b"[" * 1_000_000
    os.write(3, struct.pack("!I", len(frame)) + frame)
    while True:
        pass
