# ruff: noqa
# expect: failed RecursionError: maximum recursion depth exceeded.*
# Answers with a million lists inside each other.
def task(numbers):
    deep = []
    for _ in range(1_000_000):
        deep = [deep]
    return deep
