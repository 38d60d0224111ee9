# ruff: noqa
# expect: output an answer of 4294967295 bytes; 16777216 are accepted
# Announces an answer of four gigabytes.
import os
import time


def task(numbers):
    os.write(3, b"\xff\xff\xff\xff")
    time.sleep(60)
