# ruff: noqa
# expect: passed
# Writes and reads in the current folder.
def task(numbers):
    with open("numbers.txt", "w") as file:
        file.write(repr(numbers))
    with open("numbers.txt") as file:
        return sorted(eval(file.read()))
