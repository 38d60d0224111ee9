# ruff: noqa
# expect: failed OSError: \[Errno 27\] File too large
# Writes one huge file.
def task(numbers):
    with open("file", "wb") as file:
        while True:
            file.write(b"x" * (1 << 20))
