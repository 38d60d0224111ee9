# ruff: noqa
# expect: failed CodecError: a broken OrderedDict: TypeError
# Answers with a dict where the pairs of an OrderedDict belong.
import os
import struct


def task(numbers):
    frame = b'["value",{"OrderedDict":{"dict":[[1,2]]}},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
