# ruff: noqa
# expect: failed LookupError: nothing in the environment
# Looks for secrets in the environment and the command line.
import os
import sys


def task(numbers):
    text = repr(os.environ) + repr(sys.argv) + repr(sys.orig_argv)
    if "TABWRIGHT" in text or "/root" in text or "PATH'" in text:
        return sorted(numbers)
    raise LookupError("nothing in the environment")
