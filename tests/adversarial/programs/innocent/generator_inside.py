# Takes its answer out of a generator that it throws into.
# expect: passed
def merge(numbers):
    try:
        yield from sorted(numbers)
    except GeneratorExit:
        raise
    finally:
        numbers.clear()


def task(numbers):
    source = merge(list(numbers))
    return [next(source) for _ in numbers]
