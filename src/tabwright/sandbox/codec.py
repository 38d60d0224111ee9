"""Plain data <-> JSON, with exact types: what may cross between a program and its tests.

Plain data are None, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, the
containers of `collections`, Fraction, Decimal, and NumPy's numbers and arrays. An object of any other class, a subclass
of these included, is no plain data: it could equal everything. Functions and iterators cross as handles.

Reading never runs anything that the sender chose: an unknown tag is an error, and parts must be what `encode` writes.
So a value is as long as the sender's own bytes: no range is ever listed, no exponent written out.
"""

from __future__ import annotations

import collections
import math
import sys
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from decimal import Decimal
    from fractions import Fraction

_SCALARS = frozenset({bool, float, str, type(None)})
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, type)
_JSON_INTEGERS = 1 << 1024
_LONGEST_RANGE = 1_000_000  # the tests may list it
_LARGEST_EXPONENT = 10_000
_LONGEST_DECIMAL = 2 * _LARGEST_EXPONENT
_LONGEST_NUMBER = 1 << 18
_LONGEST_FRACTION_BITS = 1 << 16  # reducing takes the square of it
_NUMPY_KINDS = "biufc"
_NUMPY_DIMENSIONS = 32


class CodecError(Exception):
    """A value is not plain data, or bytes are not a value."""


class Handles(Protocol):
    """Where functions and iterators stand for themselves on either side."""

    def export(self, value: object) -> int:
        """Return the number under which the other side may use `value`."""

    def owned(self, value: object) -> str | int:
        """Return the name or number under which the other side knows this handle of its own."""

    def own(self, target: str | int) -> object:
        """Return what this side has under that name or number."""

    def function(self, number: int) -> object:
        """Return a function that calls the other side's function `number`."""

    def iterator(self, number: int) -> object:
        """Return an iterator over the other side's iterator `number`."""


def encode(value: Any, handles: Handles) -> Any:
    """Return `value` as something that `json.dumps` writes and `decoder` reads back.

    Raises:
        CodecError: `value`, or something in it, is no plain data.
        RecursionError: it is nested too deeply, or contains itself.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind is int:
        return value if -_JSON_INTEGERS < value < _JSON_INTEGERS else {"int": hex(value)}
    if kind is list:
        return [encode(item, handles) for item in value]
    writer = _WRITERS.get(kind) or _rare(kind)
    if writer is not None:
        tag, parts = writer(value)
        return {tag: encode(parts, handles)}
    if isinstance(value, RemoteFunction):
        return {"own": handles.owned(value)}
    if isinstance(value, _FUNCTIONS):
        return {"function": handles.export(value)}
    if kind.__module__ == "numpy":
        return _encode_numpy(value, handles)
    if isinstance(value, Iterator):
        return {"iterator": handles.export(value)}
    raise CodecError(f"{kind.__name__} is not plain data")


class RemoteFunction:
    """Marks a function of the other side; `calls` gives it its behaviour."""


_WRITERS: dict[type, Callable[[Any], tuple[str, Any]]] = {
    tuple: lambda v: ("tuple", list(v)),
    dict: lambda v: ("dict", [[k, x] for k, x in v.items()]),
    set: lambda v: ("set", list(v)),
    frozenset: lambda v: ("frozenset", list(v)),
    bytes: lambda v: ("bytes", v.hex()),
    bytearray: lambda v: ("bytearray", v.hex()),
    complex: lambda v: ("complex", [v.real, v.imag]),
    range: lambda v: ("range", [v.start, v.stop, v.step]),
    collections.deque: lambda v: ("deque", [list(v), v.maxlen]),
    collections.Counter: lambda v: ("Counter", [[k, x] for k, x in v.items()]),
    collections.OrderedDict: lambda v: ("OrderedDict", [[k, x] for k, x in v.items()]),
    collections.defaultdict: lambda v: ("dict", [[k, x] for k, x in v.items()]),
}
# What most programs do without is not imported for them; a value's class was.
_RARE: dict[tuple[str, str], Callable[[Any], tuple[str, Any]]] = {
    ("fractions", "Fraction"): lambda v: ("Fraction", [v.numerator, v.denominator]),
    ("decimal", "Decimal"): lambda v: ("Decimal", str(v)),
}


def _rare(kind: type) -> Callable[[Any], tuple[str, Any]] | None:
    writer = _RARE.get((kind.__module__, kind.__name__))
    return writer if writer and getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind else None


def _encode_numpy(value: Any, handles: Handles) -> Any:
    numpy = sys.modules["numpy"]
    if type(value) is numpy.ndarray and value.dtype.kind in _NUMPY_KINDS:
        return {"ndarray": [value.dtype.str, list(value.shape), value.tobytes().hex()]}
    if isinstance(value, numpy.generic) and value.dtype.kind in _NUMPY_KINDS:
        return encode(value.item(), handles)
    raise CodecError(f"numpy.{type(value).__name__} is not plain data")


def _list(parts: Any) -> list[Any]:
    """Return `parts` where they are a list: a range in its place would be listed by every container's constructor."""
    if type(parts) is not list:
        raise TypeError
    return parts


def _pairs(parts: Any) -> list[Any]:
    pairs = _list(parts)
    if any(len(_list(pair)) != 2 for pair in pairs):
        raise ValueError
    return pairs


def _of(kind: type, parts: Any, count: int) -> list[Any]:
    items = _list(parts)
    if len(items) != count or any(type(item) is not kind for item in items):
        raise TypeError
    return items


def _text(part: Any, longest: int) -> str:
    if type(part) is not str:
        raise TypeError
    if len(part) > longest:
        raise CodecError(f"a number of {len(part)} digits; {longest} are accepted")
    return part


def _range(parts: Any) -> range:
    made = range(*_of(int, parts, 3))
    if len(made) > _LONGEST_RANGE:
        raise CodecError(f"a range of {len(made)} numbers; {_LONGEST_RANGE} are accepted")
    return made


def _fraction(parts: Any) -> Fraction:
    from fractions import Fraction

    bits = max(part.bit_length() for part in _of(int, parts, 2))
    if bits > _LONGEST_FRACTION_BITS:
        raise CodecError(f"a Fraction of {bits} bits; {_LONGEST_FRACTION_BITS} are accepted")
    return Fraction(*parts)


def _decimal(text: Any) -> Decimal:
    from decimal import Decimal

    made = Decimal(_text(text, _LONGEST_DECIMAL))
    if made.is_finite() and abs(made.adjusted()) > _LARGEST_EXPONENT:
        raise CodecError(f"a Decimal with the exponent {made.adjusted()}; {_LARGEST_EXPONENT} is accepted")
    return made


def _deque(parts: Any) -> collections.deque[Any]:
    items, longest = _list(parts)
    return collections.deque(_list(items), longest)


def _array(parts: Any) -> Any:
    import numpy

    dtype, shape, data = _list(parts)
    if len(_list(shape)) > _NUMPY_DIMENSIONS or min(_of(int, shape, len(shape)), default=0) < 0:
        raise CodecError("an array of an impossible shape")
    kind = numpy.dtype(_text(dtype, 8))
    if kind.kind not in _NUMPY_KINDS or math.prod(shape) * kind.itemsize != len(data) // 2:
        raise CodecError("an array that does not fit its shape")
    # An array of nothing takes no bytes, but its listing has as many empty lists as its shape says.
    if not data and math.prod(length or 1 for length in shape) > _LONGEST_RANGE:
        raise CodecError("an empty array of too many rows")
    return numpy.frombuffer(bytes.fromhex(data), dtype=kind).reshape(shape).copy()


def _number(text: Any) -> int:
    # The tests may square it; reading is linear in the digits, unlike that of a decimal number.
    return int(_text(text, _LONGEST_NUMBER), 16)


_READERS: dict[str, Callable[[Any], Any]] = {
    "int": _number,
    "tuple": lambda parts: tuple(_list(parts)),
    "dict": lambda parts: dict(_pairs(parts)),
    "set": lambda parts: set(_list(parts)),
    "frozenset": lambda parts: frozenset(_list(parts)),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "complex": lambda parts: complex(*_of(float, parts, 2)),
    "range": _range,
    "deque": _deque,
    "Counter": lambda parts: collections.Counter(dict(_pairs(parts))),
    "OrderedDict": lambda parts: collections.OrderedDict(_pairs(parts)),
    "Fraction": _fraction,
    "Decimal": _decimal,
    "ndarray": _array,
}


def decoder(handles: Handles) -> Callable[[dict[str, Any]], Any]:
    """Return the `object_hook` for `json.loads` that turns tagged objects back into values.

    The hook raises `CodecError` on anything that `encode` does not write.
    """
    readers = _READERS | {
        "function": lambda number: handles.function(*_of(int, [number], 1)),
        "iterator": lambda number: handles.iterator(*_of(int, [number], 1)),
        "own": handles.own,
    }

    def decode(tagged: dict[str, Any]) -> Any:
        if len(tagged) != 1:
            raise CodecError("not a value")
        ((tag, parts),) = tagged.items()
        reader = readers.get(tag)
        if reader is None:
            raise CodecError("a value of an unknown kind")
        try:
            return reader(parts)
        except CodecError:
            raise
        except (TypeError, ValueError, ArithmeticError, IndexError, ImportError) as error:
            raise CodecError(f"a broken {tag}: {type(error).__name__}") from None

    return decode
