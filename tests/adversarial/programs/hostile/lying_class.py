# ruff: noqa
# expect: failed CodecError: Anything is not plain data
# Claims through __class__ to be a list.
class Anything:
    __class__ = list

    def __eq__(self, other):
        return True


def task(numbers):
    return Anything()
