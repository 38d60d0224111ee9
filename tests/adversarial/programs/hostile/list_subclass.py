# ruff: noqa
# expect: failed CodecError: Anything is not plain data
# Answers with a list that equals everything.
class Anything(list):
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False


def task(numbers):
    return Anything()
