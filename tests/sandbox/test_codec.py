"""Plain data cross with their exact types; anything else, and broken bytes, are refused."""

from __future__ import annotations

import collections
import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tabwright.sandbox.codec import CodecError, decoder, encode


class NoHandles:
    def export(self, value: object) -> int:
        return 7

    def function(self, number: int) -> object:
        return ("function", number)

    def iterator(self, number: int) -> object:
        return ("iterator", number)

    def owned(self, value: object) -> str | int:
        return "theirs"

    def own(self, target: str | int) -> object:
        return ("own", target)


def across(value: Any) -> Any:
    return json.loads(json.dumps(encode(value, NoHandles())), object_hook=decoder(NoHandles()))


def types(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset | collections.deque):
        return (type(value), sorted(map(repr, map(types, value))))
    return type(value)


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, 1, 1.0, -0.0, 10**400, -(10**400), "a\ud800\u2028é", b"\0\xff", bytearray(b"x"), 1 + 2j,
        [], [1, [2.0, (3, "x")]], (), (1,), {}, {1: "a", (2, 3): [4]}, {"tuple": [1]}, set(), {1, (2,)},
        frozenset({1}), range(1, 9, 2), collections.deque([1], 3), collections.Counter("aab"),
        collections.OrderedDict([(2, 1), (1, 2)]), Fraction(1, 3), Decimal("1.50"), math.inf, {True: 1, "k": None},
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_round_trip(value: Any) -> None:
    back = across(value)
    assert back == value
    assert types(back) == types(value)


def test_not_a_number_crosses() -> None:
    assert math.isnan(across(math.nan))


def test_default_dict_becomes_dict() -> None:
    assert across(collections.defaultdict(int, a=1)) == {"a": 1}


def test_functions_and_iterators_are_handles() -> None:
    assert across(len) == ("function", 7)
    assert across(iter([1])) == ("iterator", 7)


class AlwaysEqual(int):
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


@pytest.mark.parametrize("value", [object(), AlwaysEqual(1), [AlwaysEqual(1)], {"a": object()}, ...])
def test_other_classes_are_refused(value: Any) -> None:
    with pytest.raises(CodecError, match="is not plain data"):
        encode(value, NoHandles())


@pytest.mark.parametrize(
    "text",
    [
        "{}", '{"a": 1}', '{"tuple": 1}', '{"set": [[1]]}', '{"int": "zz"}', '{"int": 3}', '{"bytes": "0"}',
        '{"dict": [[1]]}', '{"dict": [[[], 1]]}', '{"range": [0, 9223372036854775807, 1]}', '{"Decimal": "1e999999"}',
        '{"Fraction": [1, 0]}', '{"ndarray": ["<f8", [1000000000], ""]}', '{"ndarray": ["O", [1], "00"]}',
        '{"set": {"range": [0, 9, 1]}}', '{"frozenset": "ab"}', '{"tuple": {"range": [0, 9, 1]}}',
        '{"deque": [{"range": [0, 9, 1]}, null]}', '{"deque": {"tuple": [[], null]}}', '{"Counter": ["ab"]}',
        '{"dict": [{"range": [0, 2, 1]}]}', '{"dict": ["ab"]}', '{"OrderedDict": {"dict": []}}',
        '{"range": [0, 1000001, 1]}', '{"range": ["1"]}', '{"range": [true, 2, 3]}', '{"Fraction": ["1e500000000"]}',
        '{"Fraction": ["1/3"]}', '{"Fraction": [1.5]}', '{"Fraction": [{"int": "' + "f" * (1 << 15) + '"}, 3]}',
        '{"Decimal": 1}', '{"Decimal": {"tuple": [0, [1], 99999]}}', '{"Decimal": "' + "9" * 20001 + '"}',
        '{"complex": ["1e5"]}', '{"complex": [1, 2]}', '{"int": {"bytes": "66"}}', '{"function": "a"}',
        '{"iterator": [0]}', '{"ndarray": ["<f8", [1000000000, 0], ""]}', '{"ndarray": ["<f8", [-1], ""]}',
        '{"ndarray": ["<f8", [' + "1," * 32 + '0], ""]}', '{"ndarray": ["<f8,<f8,<f8", [0], ""]}',
        '{"tuple": [], "list": []}', '{"complex": ["a"]}', '{"int": "' + "f" * (1 << 19) + '"}',
    ],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_broken_values_are_refused(text: str) -> None:
    with pytest.raises(CodecError):
        json.loads(text, object_hook=decoder(NoHandles()))


def test_numpy_numbers_and_arrays() -> None:
    np = pytest.importorskip("numpy")
    assert type(across(np.int64(3))) is int
    back = across(np.array([[1.5, 2.5]]))
    assert back.shape == (1, 2)
    assert back.tolist() == [[1.5, 2.5]]
    with pytest.raises(CodecError):
        encode(np.array([object()]), NoHandles())
