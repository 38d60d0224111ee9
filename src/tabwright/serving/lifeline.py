"""The middlewares that tie a request's life to its client: bounded bodies, cancellation, counting, the last error.

Plain ASGI, so that streams pass through untouched.
"""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tabwright.serving.errors import ApiError, error_response
from tabwright.serving.metrics import Metrics
from tabwright.serving.settings import ServingSettings

_BODY_TIMEOUT_S = 60.0
# What nginx calls a client that closed the connection before its answer.
_CLIENT_GONE = 499


class ObserveMiddleware:
    """Counts and times every answer, and turns an exception that nobody foresaw into a plain 500."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = _CLIENT_GONE
        started = time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            response = error_response(scope["path"], error)
            if status == _CLIENT_GONE:
                await response(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(route=route, status=str(status)).inc()
            self._metrics.latency.labels(route=route).observe(time.perf_counter() - started)


class LifelineMiddleware:
    """Reads the body, within bounds, and cancels the work on a request when its client goes away."""

    def __init__(self, app: ASGIApp, settings: ServingSettings, metrics: Metrics) -> None:
        self._app = app
        self._max_body_bytes = settings.max_body_bytes
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request until it is answered or nobody wants the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
        except ApiError as error:
            await error_response(scope["path"], error)(scope, receive, send)
            return
        if body is None:
            self._metrics.cancelled.inc()
        else:
            await self._run(body, scope, receive, send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes | None:
        """Return the whole body, or None when the client went away first."""
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self._max_body_bytes:
            raise self._too_long()
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_S):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > self._max_body_bytes:
                        raise self._too_long()
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise ApiError(408, f"the body did not come within {_BODY_TIMEOUT_S:g} s; send it again") from None

    def _too_long(self) -> ApiError:
        # What is left of the body is not read, so this connection has no next request.
        return ApiError(
            413,
            f"the body is longer than {self._max_body_bytes} bytes; send less text",
            headers={"Connection": "close"},
        )

    async def _run(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_until_gone(receive))
        unread = [body]
        answered = False

        async def replay() -> Message:
            if unread:
                return {"type": "http.request", "body": unread.pop(), "more_body": False}
            await asyncio.wait({gone})
            return {"type": "http.disconnect"}

        async def noted(message: Message) -> None:
            nonlocal answered
            await send(message)
            answered = message["type"] == "http.response.body" and not message.get("more_body", False)

        work = asyncio.ensure_future(self._app(scope, replay, noted))
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if answered:  # the client has hung up because it has everything
                await asyncio.wait({work})
            elif not work.done():
                self._metrics.cancelled.inc()
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)
        if not work.cancelled():
            work.result()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
