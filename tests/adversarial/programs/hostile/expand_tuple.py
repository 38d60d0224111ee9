# ruff: noqa
# expect: failed CodecError: a broken tuple: TypeError
# Answers with a few bytes that stand for a tuple of a million numbers.
import os
import struct


def task(numbers):
    frame = b'["value",[{"tuple":{"range":[0,1000000,1]}}],null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
