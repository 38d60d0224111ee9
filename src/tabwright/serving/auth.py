"""Who may use the server: an API key as a bearer token, or a username and password; compared in constant time.

A server for this machine alone also refuses what a web page of somebody else makes a browser send: requests whose Host
is another name (DNS rebinding) or whose Origin is another site.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tabwright.serving.errors import ApiError, error_response
from tabwright.serving.settings import ServingSettings, is_loopback

# The page must load before it can ask for a key, and whatever watches over a server has none.
_OPEN_PATHS = frozenset({"/", "/health", "/icon.svg"})


def is_open(method: str, path: str) -> bool:
    """Whether a request needs no authentication: the page's own files, and the health check."""
    return method in ("GET", "HEAD") and (path in _OPEN_PATHS or path.startswith("/assets/"))


def is_foreign(headers: Headers) -> bool:
    """Whether a browser sent a request for a name, or from a site, that is not this machine's."""
    host = _hostname(f"//{headers.get('host', 'localhost')}")
    origin = headers.get("origin", "")
    # "null" is a sandboxed frame or a file; editors' and browsers' extensions have schemes of their own.
    from_elsewhere = origin == "null" or (
        origin.startswith(("http://", "https://")) and not is_loopback(_hostname(origin))
    )
    return from_elsewhere or not is_loopback(host)


def _hostname(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


class AuthMiddleware:
    """Answers 401 to a request that does not say who it is, and 403 to one that another site sends."""

    def __init__(self, app: ASGIApp, settings: ServingSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif is_loopback(self._settings.host) and is_foreign(Headers(scope=scope)):
            error = ApiError(403, "this server is for this machine alone; use http://127.0.0.1, or --listen and a key")
            await error_response(scope["path"], error)(scope, receive, send)
        elif self._allows(scope):
            await self._app(scope, receive, send)
        else:
            await error_response(scope["path"], self._refusal())(scope, receive, send)

    def _allows(self, scope: Scope) -> bool:
        settings = self._settings
        if settings.authentication == "none" or is_open(scope["method"], scope["path"]):
            return True
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        allowed = False
        if scheme.lower() == "bearer" and settings.api_key:
            allowed = _same(given.strip().encode("latin-1"), settings.api_key)
        if scheme.lower() == "basic" and settings.password:
            allowed = _same(_decoded(given), f"{settings.username}:{settings.password}")
        return allowed

    def _refusal(self) -> ApiError:
        if self._settings.authentication == "key":
            way, remedy = "Bearer", "send the API key as 'Authorization: Bearer KEY'"
        else:
            way, remedy = 'Basic realm="tabwright", charset="UTF-8"', "send the username and password"
        return ApiError(401, f"not authenticated; {remedy}", headers={"WWW-Authenticate": way})


def _same(given: bytes, wanted: str) -> bool:
    return hmac.compare_digest(given, wanted.encode())


def _decoded(given: str) -> bytes:
    try:
        return base64.b64decode(given.encode("latin-1"), validate=True)
    except (binascii.Error, ValueError):
        return b""
