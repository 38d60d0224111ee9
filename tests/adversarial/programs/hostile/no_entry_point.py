# ruff: noqa
# expect: failed NameError
# Defines nothing.
x = 1
