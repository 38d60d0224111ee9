# ruff: noqa
# expect: failed OSError: \[Errno (28|24|27)\] .*
# Fills its scratch folder.
def task(numbers):
    for index in range(10_000):
        with open(f"file{index}", "wb") as file:
            file.write(b"x" * (8 << 20))
