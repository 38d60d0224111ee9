# ruff: noqa
# expect: failed CodecError: a Fraction of \d+ bits; 65536 are accepted
# Answers with a Fraction that takes long to reduce.
import os
import struct


def task(numbers):
    frame = b'["value",{"Fraction":[{"int":"' + b"7" * 200_000 + b'"},{"int":"' + b"5" * 200_000 + b'"}]},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
