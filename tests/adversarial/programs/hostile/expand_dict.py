# ruff: noqa
# expect: failed CodecError: a broken dict: TypeError
# Answers with a range where a pair of a dict belongs.
import os
import struct


def task(numbers):
    frame = b'["value",{"dict":[{"range":[0,1000000,1]}]},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
