# ruff: noqa
# expect: failed CodecError: a broken set: TypeError
# Answers with a range where the items of a set belong.
import os
import struct


def task(numbers):
    frame = b'["value",{"set":{"range":[0,1000000,1]}},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
