# ruff: noqa
# expect: failed CodecError: a broken Counter: TypeError
# Answers with a text where the pairs of a Counter belong.
import os
import struct


def task(numbers):
    frame = b'["value",{"Counter":"abcd"},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
