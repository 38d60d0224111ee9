# ruff: noqa
# expect: failed CodecError: a broken Fraction: TypeError
# Answers with a Fraction that is made of Decimals.
import os
import struct


def task(numbers):
    frame = b'["value",{"Fraction":[{"Decimal":"1e9999"},{"Decimal":"1e-9999"}]},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
