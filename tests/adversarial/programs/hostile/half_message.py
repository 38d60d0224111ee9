# ruff: noqa
# expect: timeout no result within 3 s
# Announces an answer and never sends it.
import os
import time


def task(numbers):
    os.write(3, b"\x00\x00\xff\xff[")
    time.sleep(60)
