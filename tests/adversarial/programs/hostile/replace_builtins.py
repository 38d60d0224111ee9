# ruff: noqa
# expect: failed AssertionError
# Replaces what assertions and comparisons are made of.
import builtins
import operator

builtins.AssertionError = type("AssertionError", (Exception,), {})
builtins.sorted = lambda *a, **k: []
builtins.all = lambda x: True
operator.eq = lambda a, b: True


def task(numbers):
    return None
