# ruff: noqa
# expect: passed
# Has a main guard.
def task(numbers):
    return sorted(numbers)


if __name__ == "__main__":
    import sys

    print(task([int(input())]))
    sys.exit(1)
