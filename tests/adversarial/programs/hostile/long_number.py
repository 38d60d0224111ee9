# ruff: noqa
# expect: failed CodecError: a number of \d+ digits; 262144 are accepted
# Answers with a number that takes minutes to square.
def task(numbers):
    return 1 << (40 << 20)
