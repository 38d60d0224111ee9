# ruff: noqa
# expect: failed CodecError: a number of \d+ digits; 20000 are accepted
# Answers with a Decimal of a million digits.
import os
import struct


def task(numbers):
    frame = b'["value",{"Decimal":"' + b"9" * 1_000_000 + b'"},null]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
