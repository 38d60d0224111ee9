"""Who runs now: a fixed number of requests hold a slot, a bounded number wait in order, the rest are turned away."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tabwright.serving.errors import ApiError
from tabwright.serving.metrics import Metrics

_LONGEST_RETRY_S = 60


class Gate:
    """Admits requests one by one; a request of several samples holds one slot."""

    def __init__(self, *, slots: int, max_queue: int, wait_s: float, metrics: Metrics) -> None:
        self._free = asyncio.Semaphore(slots)
        self._slots = slots
        self._max_queue = max_queue
        self._wait_s = wait_s
        self._metrics = metrics
        self._waiting = 0
        self._mean_s = 1.0

    @property
    def is_free(self) -> bool:
        """Whether a request would run at once."""
        return not self._free.locked()

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None, None]:
        """Hold a slot; wait for one as long as allowed.

        Raises:
            ApiError: the queue is full (429), or no slot came free in time (503).
        """
        await self._enter()
        started = time.monotonic()
        self._metrics.busy.inc()
        try:
            yield
        finally:
            self._free.release()
            self._metrics.busy.dec()
            self._mean_s += 0.1 * (time.monotonic() - started - self._mean_s)

    async def _enter(self) -> None:
        if self._free.locked() and self._waiting >= self._max_queue:
            raise ApiError(
                429,
                f"all {self._slots} slots are busy and {self._waiting} requests wait; try again later",
                headers={"Retry-After": str(self._retry_after_s())},
            )
        self._waiting += 1
        self._metrics.queue.set(self._waiting)
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise ApiError(503, f"no slot came free in {self._wait_s:g} s; try again later") from None
        finally:
            self._waiting -= 1
            self._metrics.queue.set(self._waiting)

    def _retry_after_s(self) -> int:
        """Return when, at the pace of late, a place in the queue is likely to be free."""
        return max(1, min(math.ceil(self._mean_s / self._slots), _LONGEST_RETRY_S))
