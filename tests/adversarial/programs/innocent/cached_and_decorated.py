# The function that is asked for is a wrapped, cached one.
# expect: passed
import functools


def traced(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return list(function(tuple(arguments[0])))

    return wrapper


@traced
@functools.cache
def task(numbers):
    return tuple(sorted(numbers))
