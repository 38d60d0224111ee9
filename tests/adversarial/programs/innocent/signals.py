# ruff: noqa
# expect: passed
# Sets an alarm and a handler.
import signal


def task(numbers):
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    signal.pause()
    return sorted(numbers)
