# ruff: noqa
# expect: failed CodecError: a broken function: TypeError
# Answers with a function whose number is a list.
import os
import struct


def task(numbers):
    frame = b'["value",{"function":[[1]]},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
