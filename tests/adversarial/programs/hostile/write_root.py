# ruff: noqa
# expect: failed OSError: \[Errno 30\]|failed PermissionError
# Writes outside of its scratch folder.
def task(numbers):
    open("/lib/answer", "w").write("x")
