# ruff: noqa
# expect: failed AssertionError
# Sends well-formed answers ahead of every call.
import os
import struct

frame = b'["value",null,null]'
os.write(3, (struct.pack("!I", len(frame)) + frame) * 50)


def task(numbers):
    return None
