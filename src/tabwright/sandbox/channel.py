"""One end of a framed connection: a four-byte length, then as many bytes. Sizes, their sum and waiting are bounded."""

from __future__ import annotations

import socket
import struct
import time

_LENGTH = struct.Struct("!I")
_CHUNK = 1 << 16


class ConnectionEnded(BaseException):
    """The other side has gone, was too late or broke the rules; tests cannot catch it with `except Exception`."""


class HungUp(ConnectionEnded):
    """The other side has gone."""


class TooLate(ConnectionEnded):
    """The deadline has passed."""


class TooLarge(ConnectionEnded):
    """The other side sent more than is accepted."""


class Channel:
    """One end of a connection.

    Args:
        connection: a connected stream socket; the channel owns it.
        limit_bytes: the largest message that is accepted; four times as much is accepted in all.

    Attributes:
        deadline: when waiting ends, by `time.monotonic()`; None is never.
    """

    def __init__(self, connection: socket.socket, limit_bytes: int) -> None:
        self.deadline: float | None = None
        self._connection = connection
        self._limit = limit_bytes
        self._budget = 4 * limit_bytes
        self._buffer = bytearray()

    def renew(self, timeout_s: float) -> None:
        """Begin a new task on the same connection: a deadline that far from now, and all that is accepted anew."""
        self.deadline = time.monotonic() + timeout_s
        self._budget = 4 * self._limit

    def send(self, data: bytes) -> None:
        """Send one message."""
        self._arm()
        try:
            self._connection.sendall(_LENGTH.pack(len(data)) + data)
        except TimeoutError:
            raise TooLate from None
        except OSError:
            raise HungUp from None

    def receive(self) -> bytes:
        """Wait for one message."""
        size = _LENGTH.unpack(self._take(_LENGTH.size))[0]
        self._budget -= size
        if size > self._limit or self._budget < 0:
            raise TooLarge(f"an answer of {size} bytes; {self._limit} are accepted")
        return self._take(size)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._arm()
            try:
                chunk = self._connection.recv(_CHUNK)
            except TimeoutError:
                raise TooLate from None
            except OSError:
                chunk = b""
            if not chunk:
                raise HungUp
            self._buffer += chunk
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _arm(self) -> None:
        if self.deadline is not None:
            remaining = self.deadline - time.monotonic()
            if remaining <= 0:
                raise TooLate
            self._connection.settimeout(remaining)
