# ruff: noqa
# expect: failed Passed: passed
# Raises an exception called Passed.
class Passed(BaseException):
    pass


def task(numbers):
    raise Passed("passed")
