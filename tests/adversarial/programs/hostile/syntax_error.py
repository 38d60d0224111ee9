# ruff: noqa
# expect: failed SyntaxError
# Is no program.
def task(numbers:
