# ruff: noqa
# expect: failed NameError: .*name 'check' is not defined.*
# Calls back into the tests by name.
import os
import struct


def task(numbers):
    import socket

    frame = b'["call","check",[],{"dict":[]}]'
    os.write(3, struct.pack("!I", len(frame)) + frame)
    reply = os.read(3, 1 << 16)
    raise NameError(reply.decode(errors="replace"))
