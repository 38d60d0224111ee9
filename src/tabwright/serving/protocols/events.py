"""Streams of server-sent events: JSON values in, `data:` lines out; the stream is closed however it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tabwright.serving.errors import as_api_error, error_body

# A client that takes nothing for this long is gone; it must not hold a slot.
_SEND_TIMEOUT_S = 30.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]

Events = AsyncGenerator[Any, None]


class EventStream(Response):
    """Sends each value as an event; an error in mid-stream becomes the last one."""

    def __init__(self, events: Events, *, done: bool = True) -> None:
        super().__init__()
        self._events = events
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, then close the stream behind it."""

        async def write(data: bytes, more: bool = True) -> None:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await send({"type": "http.response.body", "body": data, "more_body": more})

        async with aclosing(self._events) as events:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            try:
                async for value in events:
                    await write(_event(compact(value)))
                if self._done:
                    await write(_event(b"[DONE]"))
            except Exception as error:
                await write(_event(compact(error_body(scope["path"], as_api_error(error)))))
            await write(b"", more=False)


async def begun(events: Events) -> Events:
    """Return the same events with the first already at hand, so that an early error still has its own status."""
    try:
        first = [await anext(events)]
    except StopAsyncIteration:
        first = []
    except BaseException:
        await events.aclose()
        raise
    return _with_first(first, events)


def compact(value: object) -> bytes:
    """Return JSON on one line without spaces: some clients match `"content":"` by its letters."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


async def _with_first(first: list[Any], events: Events) -> Events:
    async with aclosing(events):
        for value in first:
            yield value
        async for value in events:
            yield value


def _event(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"
