# ruff: noqa
# expect: failed CodecError: an empty array of too many rows
# Answers with an array of a thousand million empty rows.
import os
import struct


def task(numbers):
    frame = b'["value",{"ndarray":["<f8",[1000000000,0],""]},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
