# ruff: noqa
# expect: failed NameError: name 'task' is not defined
# Defines nothing.
x = 1
