# Ends the list of a test's cases by a forged end of iteration, in the reply and by an exception.
# expect: failed RemoteError: StopIteration|failed StopIteration
import os
import struct
import time


def task(numbers):
    message = b'["raise",["StopIteration"],""]'
    os.write(3, struct.pack("!I", len(message)) + message)
    time.sleep(0.5)
