"""One end of a framed connection: a four-byte length, then as many bytes. Sizes, their sum and waiting are bounded."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from typing import Any

_LENGTH = struct.Struct("!I")
_TIME = struct.Struct("@ll")
_CHUNK = 1 << 16
_SHORTEST_WAIT_S = 0.001
# The kernel's limit on a wait is set anew only once it is longer by so much than what is left to the deadline.
_SLACK = 1.02


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
        ended: why the connection can no longer be used; whoever ignores that is not believed.
    """

    def __init__(self, connection: socket.socket, limit_bytes: int) -> None:
        self.deadline: float | None = None
        self.ended: ConnectionEnded | None = None
        self._connection = connection
        self._limit = limit_bytes
        self._budget = 4 * limit_bytes
        self._buffer = bytearray()
        self._wait_s = 0.0

    def renew(self, timeout_s: float) -> None:
        """Begin a new task on the same connection: a deadline that far from now, and all that is accepted anew."""
        self.deadline = time.monotonic() + timeout_s
        self._budget = 4 * self._limit

    def send(self, data: bytes) -> None:
        """Send one message.

        Raises:
            ConnectionEnded: it cannot be sent.
        """
        self._remembered(self._send, _LENGTH.pack(len(data)) + data)

    def receive(self) -> bytes:
        """Wait for one message.

        Raises:
            ConnectionEnded: none comes, or too large a one.
        """
        data: bytes = self._remembered(self._receive)
        return data

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _send(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            self._arm()
            left = left[self._connection.send(left[:_CHUNK]) :]  # a longer one would wait anew for each part

    def _receive(self) -> bytes:
        size: int = _LENGTH.unpack(self._take(_LENGTH.size))[0]
        self._budget -= size
        if size > self._limit or self._budget < 0:
            raise TooLarge(f"an answer of {size} bytes; {self._limit} are accepted")
        return self._take(size)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._arm()
            chunk = self._connection.recv(_CHUNK)
            if not chunk:
                raise HungUp
            self._buffer += chunk
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _remembered(self, work: Callable[..., Any], *arguments: Any) -> Any:
        if self.ended is not None:
            raise self.ended
        try:
            return work(*arguments)
        except BlockingIOError:
            self.ended = TooLate()
            raise self.ended from None
        except OSError:
            self.ended = HungUp()
            raise self.ended from None
        except ConnectionEnded as error:
            self.ended = error
            raise

    def _arm(self) -> None:
        if self.deadline is None:
            return
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise TooLate
        if not remaining <= self._wait_s <= remaining * _SLACK:
            self._wait_s = max(remaining, _SHORTEST_WAIT_S)
            whole = int(self._wait_s)
            value = _TIME.pack(whole, int((self._wait_s - whole) * 1e6))
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)
