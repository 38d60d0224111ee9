# Raises and catches exceptions of its own, in groups too.
# expect: passed
class WrongError(Exception):
    pass


def task(numbers):
    try:
        raise ExceptionGroup("several", [WrongError("one"), ValueError("two")])
    except* WrongError:
        pass
    except* ValueError:
        pass
    return sorted(numbers)
