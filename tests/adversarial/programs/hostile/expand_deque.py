# ruff: noqa
# expect: failed CodecError: a broken deque: TypeError
# Answers with a range where the items of a deque belong.
import os
import struct


def task(numbers):
    frame = b'["value",{"deque":[{"range":[0,1000000,1]},null]},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
