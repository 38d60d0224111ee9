# ruff: noqa
# expect: failed CodecError: Anything is not plain data
# Hides a number that equals everything inside a plain list.
class Anything(int):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


def task(numbers):
    return [Anything() for _ in numbers]
