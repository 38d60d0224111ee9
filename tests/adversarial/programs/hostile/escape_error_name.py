# ruff: noqa
# expect: failed \\x1b\]0;PWNED\\x07: \\x9b2J \\u202etxt \\U000e0041
# Raises an error that writes to the terminal: its title, its colours, the direction of its text.
def task(numbers):
    raise type("\x1b]0;PWNED\x07", (Exception,), {})("\x9b2J\r\n\u202etxt \U000e0041")
