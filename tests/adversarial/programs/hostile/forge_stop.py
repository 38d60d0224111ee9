# Answers a call as if it were an iterator's end.
# expect: failed CodecError: not a message
import os
import struct
import time


def task(numbers):
    os.write(3, struct.pack("!I", 8) + b'["stop"]')
    time.sleep(0.5)
