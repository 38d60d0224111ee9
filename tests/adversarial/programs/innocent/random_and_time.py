# ruff: noqa
# expect: passed
# Uses chance and clocks.
import os
import random
import secrets
import time
import uuid


def task(numbers):
    random.shuffle(numbers)
    time.sleep(0.01)
    uuid.uuid4(), secrets.token_hex(), os.urandom(8), open("/dev/urandom", "rb").read(8)
    return sorted(numbers)
