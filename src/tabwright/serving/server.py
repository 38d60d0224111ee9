"""A running server: binds first, loads the model, serves, and drains on SIGTERM or SIGINT. Prints nothing itself."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn

from tabwright.sampling import Engine
from tabwright.serving.app import create_app
from tabwright.serving.settings import ServingSettings, SettingsError

# Longer than clients keep an idle connection, so that it is they who close it and no request is lost to a race.
_KEEP_ALIVE_S = 75


def serve(
    start_engine: Callable[[], Awaitable[Engine]],
    settings: ServingSettings,
    *,
    on_ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests finish, close the engine, and return.

    Args:
        start_engine: loads the model; called once the port is known to be free.
        settings: where and for whom; see `check_listen` before listening on more than this machine.
        on_ready: told the server's address when it accepts requests.

    Raises:
        SettingsError: the address cannot be listened on.
        EngineError: the model cannot be loaded.
    """
    with bind(settings) as listener:
        asyncio.run(_serve(start_engine, settings, listener, on_ready))


def bind(settings: ServingSettings) -> socket.socket:
    """Return a socket bound to the address, not yet listening.

    Raises:
        SettingsError: the port is in use or not allowed, or the host is not an address of this machine.
    """
    host, port = settings.host, settings.port
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise SettingsError(
            f"--listen {host} --port {port}: no such address; try --listen 127.0.0.1 --port 7860"
        ) from None
    listener = socket.socket(family, kind, proto)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
        raise SettingsError(f"port {port} on {host} {reason}; choose another with --port") from None
    return listener


class _Server(uvicorn.Server):
    """Uvicorn, without its own signal handling (it would end with the signal instead of 0)."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    def stop(self) -> None:
        """Drain; asked a second time, end now."""
        self.force_exit = self.should_exit
        self.should_exit = True


async def _serve(
    start_engine: Callable[[], Awaitable[Engine]],
    settings: ServingSettings,
    listener: socket.socket,
    on_ready: Callable[[str], None],
) -> None:
    loading = asyncio.ensure_future(start_engine())
    try:
        with _on_signals(loading.cancel):
            engine = await loading
    except asyncio.CancelledError:
        return
    try:
        server = _Server(
            uvicorn.Config(
                create_app(engine, settings),
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=settings.drain_timeout_s,  # type: ignore[arg-type]
            ),
            lambda: on_ready(_url(listener)),
        )
        with _on_signals(server.stop):
            await server.serve([listener])
    finally:
        await engine.close()


@contextmanager
def _on_signals(act: Callable[[], object]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, act)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
