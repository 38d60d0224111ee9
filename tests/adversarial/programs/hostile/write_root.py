# ruff: noqa
# expect: failed (OSError: \[Errno 30\]|PermissionError: \[Errno 13\]) .*: '/lib/answer'
# Writes outside of its scratch folder.
def task(numbers):
    open("/lib/answer", "w").write("x")
