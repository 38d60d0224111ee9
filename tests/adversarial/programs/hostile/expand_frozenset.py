# ruff: noqa
# expect: failed CodecError: a broken frozenset: TypeError
# Answers with a range where the items of a frozenset belong.
import os
import struct


def task(numbers):
    frame = b'["value",{"frozenset":{"range":[0,1000000,1]}},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
