"""Words and runs of words, beside the same made slowly by regular expressions."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import numpy as np
import pytest

from tabwright.corpus.duplicates.words import Words, words_of

WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
TEXTS = [
    b"", b"one", b"one two three four five six", b"ends_with_word", b"begins with one", b" \n\t", b"()",
    b"caf\xc3\xa9 = 1", b"x" * 300_000, b"a b c d e f " * 30_000, b"one two three four five six", b"a.b.c.d.e",
]  # fmt: skip


def batch(texts: Sequence[bytes]) -> Words:
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    return words_of(np.frombuffer(b"".join(texts), dtype=np.uint8), offsets)


def alone(text: bytes) -> list[int]:
    hashes: list[int] = batch([text]).hashes.tolist()
    return hashes


@pytest.mark.parametrize("seed", range(5))
def test_a_text_has_the_same_words_alone_and_among_others(seed: int) -> None:
    texts = random.Random(seed).sample(TEXTS, len(TEXTS))
    words = batch(texts)
    for at, text in enumerate(texts):
        assert words.hashes[words.offsets[at] : words.offsets[at + 1]].tolist() == alone(text)


def test_words_are_equal_where_their_bytes_are() -> None:
    generator = random.Random(1)
    text = b" ".join(
        bytes(generator.choice(b"abc_1XY\xc3\xa9") for _ in range(generator.randint(1, 6))) for _ in range(5000)
    )
    found, expected = alone(text), WORD.findall(text)
    assert len(found) == len(expected)
    assert len(set(zip(found, expected, strict=True))) == len(set(expected)) == len(set(found))


def test_every_byte_of_a_word_counts_however_long_it_is() -> None:
    base = bytes(random.Random(2).choices(b"abcdefgh", k=70))
    words = [base[:size] for size in range(1, 71)]
    words += [base[:at] + b"Z" + base[at + 1 : size] for size in (7, 8, 9, 16, 31, 32, 33, 70) for at in range(size)]
    assert len(set(alone(b" ".join(words)))) == len(words) == len(set(words))
    assert alone(b"(".join(words)) == alone(b" ".join(words))


def test_what_stands_between_words_does_not_count() -> None:
    assert alone(b"if (a == b):\n\treturn c") == alone(b"if a b return c")


def test_runs_are_those_of_each_text_and_none_reaches_over_its_end() -> None:
    words = batch([b"a b c d", b"a b", b"c d a b c"])
    runs, offsets = words.shingles(3)
    assert np.diff(offsets).tolist() == [2, 0, 3]
    assert runs[0] == runs[4]  # a b c
    assert len(set(runs.tolist())) == 4


def test_runs_differ_by_the_order_of_their_words() -> None:
    assert batch([b"a b c"]).shingles(3)[0] != batch([b"c b a"]).shingles(3)[0]
