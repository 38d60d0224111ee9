"""Plain data <-> JSON, with exact types: what may cross between a program and its tests.

Plain data are None, bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, the
containers of `collections`, Fraction, Decimal, and NumPy's numbers and arrays. An object of any other class, a subclass
of these included, is no plain data: it could equal everything. Functions and iterators cross as handles.

Reading never runs anything that the sender chose: an unknown tag is an error, and sizes are the sender's own bytes.
"""

from __future__ import annotations

import collections
import math
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Protocol

_SCALARS = frozenset({bool, float, str, type(None)})
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodType, type)
_JSON_INTEGERS = 1 << 1024
_LONGEST_RANGE = 10_000_000
_LARGEST_EXPONENT = 10_000
_LONGEST_NUMBER = 1 << 18
_NUMPY_KINDS = "biufc"


class CodecError(ValueError):
    """A value is not plain data, or bytes are not a value."""


class Handles(Protocol):
    """Where functions and iterators stand for themselves on either side."""

    def export(self, value: object) -> int:
        """Return the number under which the other side may use `value`."""

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
    writer = _WRITERS.get(kind)
    if writer is not None:
        tag, parts = writer(value)
        return {tag: encode(parts, handles)}
    if isinstance(value, (*_FUNCTIONS, RemoteFunction)):
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
    Fraction: lambda v: ("Fraction", [v.numerator, v.denominator]),
    Decimal: lambda v: ("Decimal", str(v)),
}


def _encode_numpy(value: Any, handles: Handles) -> Any:
    numpy = sys.modules["numpy"]
    if type(value) is numpy.ndarray and value.dtype.kind in _NUMPY_KINDS:
        return {"ndarray": [value.dtype.str, list(value.shape), value.tobytes().hex()]}
    if isinstance(value, numpy.generic) and value.dtype.kind in _NUMPY_KINDS:
        return encode(value.item(), handles)
    raise CodecError(f"numpy.{type(value).__name__} is not plain data")


def _range(parts: Any) -> range:
    made = range(*parts)
    if len(made) > _LONGEST_RANGE:
        raise CodecError(f"a range of {len(made)} numbers")
    return made


def _decimal(text: Any) -> Decimal:
    made = Decimal(text)
    if made.is_finite() and abs(made.adjusted()) > _LARGEST_EXPONENT:
        raise CodecError(f"a Decimal with the exponent {made.adjusted()}")
    return made


def _array(parts: Any) -> Any:
    import numpy

    dtype, shape, data = parts
    kind = numpy.dtype(str(dtype))
    if kind.kind not in _NUMPY_KINDS or math.prod(shape) * kind.itemsize != len(data) // 2:
        raise CodecError("an array that does not fit its shape")
    return numpy.frombuffer(bytes.fromhex(data), dtype=kind).reshape(shape).copy()


def _number(text: Any) -> int:
    if len(text) > _LONGEST_NUMBER:  # the tests may square it
        raise CodecError(f"a whole number of {len(text)} hexadecimal digits")
    return int(text, 16)  # linear in the digits, unlike a decimal number


_READERS: dict[str, Callable[[Any], Any]] = {
    "int": _number,
    "tuple": tuple,
    "dict": dict,
    "set": set,
    "frozenset": frozenset,
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "complex": lambda parts: complex(*parts),
    "range": _range,
    "deque": lambda parts: collections.deque(parts[0], parts[1]),
    "Counter": lambda parts: collections.Counter(dict(parts)),
    "OrderedDict": collections.OrderedDict,
    "Fraction": lambda parts: Fraction(*parts),
    "Decimal": _decimal,
    "ndarray": _array,
}


def decoder(handles: Handles) -> Callable[[dict[str, Any]], Any]:
    """Return the `object_hook` for `json.loads` that turns tagged objects back into values.

    The hook raises `CodecError` on anything that `encode` does not write.
    """
    readers = _READERS | {"function": handles.function, "iterator": handles.iterator}

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
