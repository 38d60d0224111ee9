# ruff: noqa
# expect: failed CodecError: a range of 4611686018427387904 numbers; 1000000 are accepted
# Answers with a range that takes for ever to list.
def task(numbers):
    return range(1 << 62)
