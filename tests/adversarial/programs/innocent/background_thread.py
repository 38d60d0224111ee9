# ruff: noqa
# expect: passed
# Leaves a thread behind.
import threading
import time

threading.Thread(target=time.sleep, args=(3600,)).start()


def task(numbers):
    return sorted(numbers)
