# ruff: noqa
# expect: timeout no result within 3 s
# Ignores every signal and never ends.
import signal

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass


def task(numbers):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
