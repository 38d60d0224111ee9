# ruff: noqa
# expect: failed CodecError: a broken complex: TypeError
# Answers with a complex number that is a text.
import os
import struct


def task(numbers):
    frame = b'["value",{"complex":["1e5"]},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
