"""Two processes that call each other's functions over a channel, in plain data.

A message is JSON: ["call", target, arguments, keywords], ["next", iterator], and the replies
["value", value, changed arguments or null], ["raise", type, message], ["stop"]. While one side waits for its reply it
answers the other's calls, so functions can be arguments.
"""

from __future__ import annotations

import builtins
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tabwright.sandbox.channel import Channel, ConnectionEnded, Unforeseen
from tabwright.sandbox.codec import CodecError, RemoteFunction, decoder, encode

_LONGEST_MESSAGE = 1000
_LONGEST_AHEAD = 1 << 15  # less than a connection holds, so that sending it never waits for the other side to read
_write = json.JSONEncoder(separators=(",", ":")).encode
# In a test's `map` or `all` one of these would end the list of its cases.
_ENDS_OF_ITERATION = (StopIteration, StopAsyncIteration)
_MUTABLE = (list, dict, set, bytearray)


class RemoteError(Exception):
    """The other side raised an exception that is not one of Python's own; the message starts with its name."""


class Peer:
    """One end of a connection.

    Args:
        channel: the connection.
        names: the functions that the other side may call by name.

    Attributes:
        made: the calls that were made, as they were sent, as long as they are not too long to be sent ahead.
    """

    def __init__(self, channel: Channel, names: dict[str, Any]) -> None:
        self._channel = channel
        self.names = names
        self.made: list[bytes] = []
        self._made_bytes = 0
        self._ahead: deque[bytes] = deque()
        self._handed = False  # whether the other side has given a function or an iterator
        self._exported: list[Any] = []
        self._decode = json.JSONDecoder(object_hook=decoder(self)).raw_decode

    def export(self, value: object) -> int:
        """Give `value` the number under which the other side may use it."""
        self._exported.append(value)
        return len(self._exported) - 1

    def owned(self, value: object) -> str | int:
        """Return the target of the other side's function `value`."""
        if not isinstance(value, _Function) or value.peer is not self:
            raise CodecError("a function of another connection is not plain data")
        return value.target

    def own(self, target: str | int) -> object:
        """Return what this side has under that name or number."""
        if isinstance(target, str) and target in self.names:
            return self.names[target]
        if type(target) is int and 0 <= target < len(self._exported):
            return self._exported[target]
        raise CodecError("a handle of nothing")

    def function(self, target: str | int) -> Callable[..., Any]:
        """Return a function that calls the other side's function of that name or number."""
        self._handed |= isinstance(target, int)
        return _Function(self, target)

    def iterator(self, number: int) -> Iterator[Any]:
        """Return an iterator over the other side's iterator."""
        self._handed = True
        return self._items(number)

    def _items(self, number: int) -> Iterator[Any]:
        while True:
            if self._ahead:
                self._channel.give_up(Unforeseen())
            self.send(["next", number])
            reply = self.reply(may_stop=True)
            if reply[0] == "stop":
                return
            yield reply[1]

    def call(self, target: str | int, arguments: Sequence[Any], keywords: dict[str, Any]) -> Any:
        """Call the other side's function; changes that it made in place to `arguments` are made here too.

        Raises:
            Exception: what the function raised: the same type where it is one of Python's own exceptions.
            CodecError: an argument or the answer is not plain data.
            ConnectionEnded: there is no answer; `Unforeseen` where other calls were sent ahead.
        """
        message = _write(["call", target, [encode(a, self) for a in arguments], encode(keywords, self)]).encode("ascii")
        if not self._ahead:
            self._channel.send(message)
        elif self._ahead.popleft() != message:
            self._channel.give_up(Unforeseen())
        self._made_bytes += len(message)
        if self._made_bytes <= _LONGEST_AHEAD:
            self.made.append(message)
        reply = self.reply()
        if reply[2] is not None:
            _change(arguments, reply[2])
        return reply[1]

    def send_ahead(self, calls: Sequence[bytes]) -> None:
        """Send the calls that will be made, so that no time passes between an answer and the next call.

        They must not hold functions, as the other side would answer them in the midst of others.
        """
        self._ahead.extend(calls)
        self._channel.send(*calls)

    @property
    def foreseeable(self) -> bool:
        """Whether the same calls, sent ahead, would be answered as those that were made."""
        return not self._exported and not self._handed and self._made_bytes <= _LONGEST_AHEAD

    def reply(self, *, may_stop: bool = False) -> list[Any]:
        """Wait for the reply to the message that was sent, answering calls meanwhile.

        An iterator's end is a reply only to the question for its next item.
        """
        while True:
            reply: list[Any] = self.receive()
            match reply:
                case ["call", *_] | ["next", _]:
                    self.send(self.answer(reply))
                case ["value", _, None | list()]:
                    return reply
                case ["stop"] if may_stop:
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
        self._channel.send(_write(message).encode("ascii"))

    def receive(self) -> Any:
        """Wait for one message."""
        data = self._channel.receive()
        try:
            message, end = self._decode(str(data, "ascii"))
        except CodecError:
            raise
        except RecursionError:
            raise CodecError("an answer that is nested too deeply") from None
        except ValueError as error:
            raise CodecError(f"an answer that cannot be read: {error}") from None
        if end != len(data):
            raise CodecError("an answer that goes on after its end")
        return message

    def answer(self, message: Any) -> list[Any]:
        """Do what a message asks and return the reply."""
        try:
            match message:
                case ["call", (str() | int()) as target, list(arguments), dict(keywords)]:
                    return self._run(target, arguments, keywords)
                case ["next", int(number)]:
                    return self._next(number)
                case _:
                    raise CodecError("not a call")
        except ConnectionEnded:
            raise
        except BaseException as error:  # whatever a function raises is its answer
            return failure(error)

    def _next(self, number: int) -> list[Any]:
        try:
            return ["value", encode(next(self._exported[number]), self), None]
        except StopIteration:
            return ["stop"]

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
        self.peer = peer
        self.target = target
        self.__name__ = str(target)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.peer.call(self.target, arguments, keywords)


def failure(error: BaseException) -> list[Any]:
    """Return the reply that says what was raised."""
    try:
        text = str(error)
    except BaseException:
        text = ""
    return ["raise", type(error).__name__, text[:_LONGEST_MESSAGE]]


def _exception(kind: str, text: str) -> Exception:
    known = getattr(builtins, kind, None) if kind.isidentifier() else None
    if isinstance(known, type) and issubclass(known, Exception) and not issubclass(known, _ENDS_OF_ITERATION):
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
