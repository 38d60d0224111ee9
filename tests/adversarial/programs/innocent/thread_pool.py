# Sorts in a pool of threads.
# expect: passed
from concurrent.futures import ThreadPoolExecutor


def task(numbers):
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda pair: pair[1], enumerate(sorted(numbers))))
