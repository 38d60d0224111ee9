# ruff: noqa
# expect: crashed killed by SIGSEGV
# Breaks the interpreter.
import ctypes


def task(numbers):
    ctypes.string_at(0)
