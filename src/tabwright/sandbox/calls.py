"""Two processes that call each other's functions over a channel, in plain data.

A message is JSON: ["call", target, arguments, keywords], ["next", iterator], and the replies
["value", value, changed arguments or null], ["raise", types, message], ["stop"]. While one side waits for its reply it
answers the other's calls, so functions can be arguments.
"""

from __future__ import annotations

import builtins
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tabwright.sandbox.channel import Channel, ConnectionEnded
from tabwright.sandbox.codec import CodecError, RemoteFunction, decoder, encode

_LONGEST_MESSAGE = 1000
_LONGEST_NAME, _MOST_KINDS = 100, 10
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
        n_calls: how many calls of the other side's functions were made.
    """

    def __init__(self, channel: Channel, names: dict[str, Any]) -> None:
        self._channel = channel
        self.names = names
        self.n_calls = 0
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
        return _Function(self, target)

    def iterator(self, number: int) -> Iterator[Any]:
        """Yield the items of the other side's iterator."""
        while True:
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
            ConnectionEnded: there is no answer.
        """
        self.n_calls += 1
        self.send(["call", target, [encode(a, self) for a in arguments], encode(keywords, self)])
        reply = self.reply()
        if reply[2] is not None:
            _change(arguments, reply[2])
        return reply[1]

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
                case ["raise", list(kinds), str(text)]:
                    raise _exception(kinds, text)
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
    """Return the reply that says what was raised: the names of its class and of those above it, and its message."""
    try:
        text = str(error)
    except BaseException:
        text = ""
    return ["raise", [kind.__name__ for kind in type(error).__mro__[:_MOST_KINDS]], text[:_LONGEST_MESSAGE]]


def _exception(kinds: Sequence[object], text: str) -> Exception:
    """Return an exception that a test catches as it would catch the one that was raised.

    Of Python's own it is the same; of another class it is one that stands below the first of Python's own above it.
    """
    names = [kind for kind in kinds if isinstance(kind, str)] or ["nothing"]
    for name in names:
        known = getattr(builtins, name, None) if name.isidentifier() else None
        if not isinstance(known, type) or not issubclass(known, Exception) or known is Exception:
            continue
        if not issubclass(known, _ENDS_OF_ITERATION):
            with contextlib.suppress(TypeError):  # UnicodeDecodeError and the like want more than a message
                return _below(known, names[0])(text[:_LONGEST_MESSAGE])
    return RemoteError(f"{names[0][:_LONGEST_NAME]}: {text[:_LONGEST_MESSAGE]}")


def _below(known: type[Exception], name: str) -> type[Exception]:
    if name == known.__name__ or not name.isidentifier():
        return known
    return type(name[:_LONGEST_NAME], (known,), {})


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
