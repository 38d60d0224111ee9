# ruff: noqa
# expect: failed \[/red\]: x
# Raises an error whose name is markup of the terminal's library.
def task(numbers):
    raise type("[/red]", (Exception,), {})("x")
