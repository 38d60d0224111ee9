# ruff: noqa
# expect: passed
# Works in threads.
from concurrent.futures import ThreadPoolExecutor


def task(numbers):
    with ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(int, numbers))
