# ruff: noqa
# expect: failed
# Answers with a million lists inside each other.
def task(numbers):
    deep = []
    for _ in range(1_000_000):
        deep = [deep]
    return deep
