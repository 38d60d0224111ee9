# ruff: noqa
# expect: passed
# Runs an event loop.
import asyncio


async def work(numbers):
    await asyncio.sleep(0.01)
    return sorted(numbers)


def task(numbers):
    return asyncio.run(work(numbers))
