# ruff: noqa
# expect: failed CodecError: a broken Fraction: TypeError
# Answers with a Fraction whose text has an exponent of half a thousand million.
import os
import struct


def task(numbers):
    frame = b'["value",{"Fraction":["1e500000000"]},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
