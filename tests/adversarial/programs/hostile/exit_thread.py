# ruff: noqa
# expect: crashed exited with status 0 before its tests were done
# Ends the process from another thread while the tests wait.
import os
import threading
import time


def task(numbers):
    threading.Thread(target=os._exit, args=(0,)).start()
    time.sleep(60)
