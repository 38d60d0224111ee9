# ruff: noqa
# expect: failed SystemExit: 0
# Leaves with a friendly status while it is loaded.
import sys

sys.exit(0)
