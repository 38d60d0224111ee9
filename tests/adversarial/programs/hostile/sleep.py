# ruff: noqa
# expect: timeout no result within 3 s
# Sleeps.
import time

time.sleep(3600)
