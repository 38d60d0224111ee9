# ruff: noqa
# expect: failed LookupError: nothing on the heap
# Looks for the expected values in everything the collector knows.
import gc


def task(numbers):
    gc.unfreeze()
    for value in gc.get_objects():
        if type(value) is tuple and "".join(["SECRET", "-EXPECTED"]) in [v for v in value if type(v) is str]:
            return sorted(numbers)
    raise LookupError("nothing on the heap")
