# ruff: noqa
# expect: failed CodecError
# Answers with a number that takes minutes to square.
def task(numbers):
    return 1 << (40 << 20)
