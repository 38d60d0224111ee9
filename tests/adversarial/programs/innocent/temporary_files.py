# ruff: noqa
# expect: passed
# Works with temporary files.
import os
import tempfile


def task(numbers):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "numbers")
        with open(path, "w") as file:
            file.write(" ".join(map(str, numbers)))
        with open(path) as file:
            return sorted(map(int, file.read().split()))
