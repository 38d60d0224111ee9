"""Rules about bytes, in whole batches: the same as each file by itself, and as plain Python says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tabwright.corpus import CorpusConfig
from tabwright.corpus.batch import Rule, SourceFile, table_of, values
from tabwright.corpus.rules.text import characters, lines, readable, size

CONFIG = CorpusConfig(rules=(), max_average_line=40, max_line=80, min_alphanumeric=0.5, min_bytes=3, max_bytes=2000)
TEXTS = [
    b"", b"\n", b"\n\n\n", b"x", b"x = 1\n", b"x = 1", b"y" * 81, b"y" * 80, b"y" * 80 + b"\n", b"z" * 41 + b"\n",
    b"\n" + b"y" * 81, ("\u4e2d" * 60 + "\n" + "a\n" * 9).encode(), ("\u4e2d" * 81).encode(), b"(){}[];;", b"()ab",
    b"()\n", b"a\0b", b"\xff\xfe", b"caf\xe9", "caf\u00e9 \U0001f600".encode(), b"a" * 2001, b"ab\r\ncd\r\n",
]  # fmt: skip


def reasons(rule: Rule, texts: Sequence[bytes]) -> list[str]:
    table = table_of([SourceFile(repository="r", path=f"{at}.py", text=text) for at, text in enumerate(texts)])
    return values(rule(table), "dropped")


def is_readable(text: bytes) -> bool:
    try:
        return "\0" not in text.decode()
    except UnicodeDecodeError:
        return False


def has_short_lines(text: bytes) -> bool:
    parts = text.decode(errors="replace").split("\n")
    parts = parts[:-1] if len(parts) > 1 and not parts[-1] else parts
    lengths = list(map(len, parts))
    return sum(lengths) / len(lengths) <= CONFIG.max_average_line and max(lengths) <= CONFIG.max_line


def has_letters(text: bytes) -> bool:
    count = sum(byte >= 0x80 or chr(byte).isalnum() for byte in text)
    return count >= CONFIG.min_alphanumeric * max(len(text), 1)


@pytest.mark.parametrize("seed", range(4))
def test_batches_say_what_plain_python_says_of_each(seed: int) -> None:
    texts = random.Random(seed).sample(TEXTS, len(TEXTS))
    decodable = [text for text in texts if is_readable(text)]
    assert [not why for why in reasons(readable(CONFIG), texts)] == [is_readable(text) for text in texts]
    assert [not why for why in reasons(size(CONFIG), texts)] == [3 <= len(text) <= 2000 for text in texts]
    assert [not why for why in reasons(lines(CONFIG), decodable)] == [has_short_lines(text) for text in decodable]
    assert [not why for why in reasons(characters(CONFIG), texts)] == [has_letters(text) for text in texts]


def test_reasons_say_what_was_found() -> None:
    assert reasons(readable(CONFIG), [b"a\0", b"\xff"]) == ["has a NUL", "not UTF-8"]
    assert reasons(lines(CONFIG), [b"y" * 81, b"z" * 60]) == ["a line of 81 characters", "60 characters a line"]
    assert reasons(characters(CONFIG), [b"()()a"]) == ["20% letters and digits"]
    assert reasons(characters(replace(CONFIG, min_alphabetic=0.4)), [b"123456a"]) == ["14% letters"]
    assert reasons(size(CONFIG), [b"ab"]) == ["2 bytes"]
