# ruff: noqa
# expect: timeout
# Sleeps.
import time

time.sleep(3600)
