# ruff: noqa
# expect: failed CodecError: Anything is not plain data
# Answers with an object that equals everything.
class Anything:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


def task(numbers):
    return Anything()
