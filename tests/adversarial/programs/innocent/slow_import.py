# Imports what takes its time.
# expect: passed
import logging
import pprint
import time

time.sleep(0.5)


def task(numbers):
    logging.getLogger("quiet").debug(pprint.pformat(numbers))
    return sorted(numbers)
