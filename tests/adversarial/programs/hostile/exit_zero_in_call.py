# ruff: noqa
# expect: failed SystemExit: 0
# Leaves with a friendly status when it is called.
import sys


def task(numbers):
    sys.exit(0)
