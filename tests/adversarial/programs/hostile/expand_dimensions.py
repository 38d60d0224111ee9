# ruff: noqa
# expect: failed CodecError: an array of an impossible shape
# Answers with an array of a million dimensions, whose product is a giant.
import os
import struct


def task(numbers):
    frame = b'["value",{"ndarray":["<f8",[' + b",".join([b"9"] * 1_000_000) + b'],""]},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
