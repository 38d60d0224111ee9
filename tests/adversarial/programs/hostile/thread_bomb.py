# ruff: noqa
# expect: failed RuntimeError: can.t start new thread
# Starts threads without end.
import threading
import time

threading.stack_size(65536)


def task(numbers):
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
