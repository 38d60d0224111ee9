# ruff: noqa
# expect: output
# Announces an answer of four gigabytes.
import os
import time


def task(numbers):
    os.write(3, b"\xff\xff\xff\xff")
    time.sleep(60)
