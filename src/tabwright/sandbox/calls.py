"""Two processes that call each other's functions over a stream socket, in plain data.

A message is a four-byte length, then JSON: ["call", target, arguments, keywords], ["next", iterator], and the replies
["value", value, changed arguments or null], ["raise", type, message], ["stop"]. While one side waits for its reply it
answers the other's calls, so functions can be arguments. Sizes, the sum of sizes and waiting are bounded by the reader.
"""

from __future__ import annotations

import builtins
import json
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tabwright.sandbox.codec import CodecError, RemoteFunction, decoder, encode

_LENGTH = struct.Struct("!I")
_CHUNK = 1 << 16
_LONGEST_MESSAGE = 1000
_MUTABLE = (list, dict, set, bytearray)


class ConnectionEnded(BaseException):
    """The other side has gone, was too late or broke the rules; tests cannot catch it with `except Exception`."""


class HungUp(ConnectionEnded):
    """The other side has gone."""


class TooLate(ConnectionEnded):
    """The deadline has passed."""


class TooLarge(ConnectionEnded):
    """The other side sent more than is accepted."""


class RemoteError(Exception):
    """The other side raised an exception that is not one of Python's own; the message starts with its name."""


class Peer:
    """One end of a connection.

    Args:
        connection: a connected stream socket; the peer owns it.
        limit_bytes: the largest message that is accepted; four times as much is accepted in all.
        names: the functions that the other side may call by name.
    """

    def __init__(self, connection: socket.socket, *, limit_bytes: int, names: dict[str, Any]) -> None:
        self.deadline: float | None = None
        self._connection = connection
        self._limit = limit_bytes
        self._budget = 4 * limit_bytes
        self._buffer = bytearray()
        self.names = names
        self._exported: list[Any] = []
        self._decode = decoder(self)

    def export(self, value: object) -> int:
        """Give `value` the number under which the other side may use it."""
        self._exported.append(value)
        return len(self._exported) - 1

    def function(self, target: str | int) -> Callable[..., Any]:
        """Return a function that calls the other side's function of that name or number."""
        return _Function(self, target)

    def iterator(self, number: int) -> Iterator[Any]:
        """Return an iterator over the other side's iterator."""
        while True:
            reply = self.request(["next", number])
            if reply[0] == "stop":
                return
            yield reply[1]

    def call(self, target: str | int, arguments: Sequence[Any], keywords: dict[str, Any]) -> Any:
        """Call the other side's function; changes that it made in place to `arguments` are made here too.

        Raises:
            Exception: what the function raised: the same type where it is one of Python's own exceptions.
            CodecError: an argument or the answer is not plain data.
            ConnectionEnded: there is no answer.
        """
        message = ["call", target, [encode(a, self) for a in arguments], encode(keywords, self)]
        reply = self.request(message)
        if reply[2] is not None:
            _change(arguments, reply[2])
        return reply[1]

    def request(self, message: list[Any]) -> list[Any]:
        """Send a message and wait for its reply."""
        self.send(message)
        return self.reply()

    def reply(self) -> list[Any]:
        """Wait for the reply to the message that was sent, answering calls meanwhile."""
        while True:
            reply: list[Any] = self.receive()
            match reply:
                case ["call", *_] | ["next", _]:
                    self.send(self.answer(reply))
                case ["value", _, None | list()] | ["stop"]:
                    return reply
                case ["raise", str(kind), str(text)]:
                    raise _exception(kind, text)
                case _:
                    raise CodecError("not a message")

    def serve(self) -> None:
        """Answer calls until the other side hangs up."""
        while True:
            self.send(self.answer(self.receive()))

    def send(self, message: list[Any]) -> None:
        """Send one message of JSON values."""
        data = json.dumps(message, separators=(",", ":")).encode("ascii")
        self._arm()
        try:
            self._connection.sendall(_LENGTH.pack(len(data)) + data)
        except TimeoutError:
            raise TooLate from None
        except OSError:
            raise HungUp from None

    def receive(self) -> Any:
        """Wait for one message."""
        size = _LENGTH.unpack(self._take(_LENGTH.size))[0]
        self._budget -= size
        if size > self._limit or self._budget < 0:
            raise TooLarge(f"an answer of {size} bytes; {self._limit} are accepted")
        try:
            return json.loads(str(self._take(size), "ascii"), object_hook=self._decode)
        except CodecError:
            raise
        except RecursionError:
            raise CodecError("an answer that is nested too deeply") from None
        except ValueError as error:
            raise CodecError(f"an answer that cannot be read: {error}") from None

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

    def answer(self, message: Any) -> list[Any]:
        """Do what a message asks and return the reply."""
        try:
            match message:
                case ["call", (str() | int()) as target, list(arguments), dict(keywords)]:
                    return self._run(target, arguments, keywords)
                case ["next", int(number)]:
                    return ["value", encode(next(self._exported[number]), self), None]
                case _:
                    raise CodecError("not a call")
        except ConnectionEnded:
            raise
        except StopIteration:
            return ["stop"]
        except BaseException as error:  # whatever a function raises is its answer
            return failure(error)

    def _run(self, target: str | int, arguments: list[Any], keywords: dict[str, Any]) -> list[Any]:
        if isinstance(target, str):
            if target not in self.names:
                raise NameError(f"name {target!r} is not defined")
            function = self.names[target]
        else:
            function = self._exported[target]
        watched = any(isinstance(a, _MUTABLE) for a in arguments)
        before = encode(arguments, self) if watched else None
        value = encode(function(*arguments, **keywords), self)
        after = encode(arguments, self) if watched else None
        return ["value", value, None if before == after else after]


class _Function(RemoteFunction):
    def __init__(self, peer: Peer, target: str | int) -> None:
        self._peer = peer
        self._target = target
        self.__name__ = str(target)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._peer.call(self._target, arguments, keywords)


def failure(error: BaseException) -> list[Any]:
    """Return the reply that says what was raised."""
    try:
        text = str(error)
    except BaseException:
        text = ""
    return ["raise", type(error).__name__, text[:_LONGEST_MESSAGE]]


def _exception(kind: str, text: str) -> Exception:
    known = getattr(builtins, kind, None) if kind.isidentifier() else None
    if isinstance(known, type) and issubclass(known, Exception):
        try:
            return known(text[:_LONGEST_MESSAGE])
        except TypeError:  # UnicodeDecodeError and the like want more than a message
            pass
    return RemoteError(f"{kind[:100]}: {text[:_LONGEST_MESSAGE]}")


def _change(arguments: Sequence[Any], changed: list[Any]) -> None:
    """Make the changes in place, so that every name for an argument sees them."""
    for here, there in zip(arguments, changed, strict=False):
        if type(here) is not type(there):
            continue
        if isinstance(here, list | bytearray):
            here[:] = there
        elif isinstance(here, dict | set):
            here.clear()
            here.update(there)
