# ruff: noqa
# expect: failed x{100}: y{198}
# Raises an error with a name of a million characters and a message of as many.
def task(numbers):
    raise type("x" * 1_000_000, (Exception,), {})("y" * 1_000_000)
