"""How far healing backs up, and what it then demands."""

from __future__ import annotations

import pytest

from tabwright.sampling.healing import Respelling, Vocabulary, back_up, grammar

WORDS = [
    b" ",
    b"  ",
    b"    ",
    b"\n",
    b"\n   ",
    b"\n       ",
    b'"""',
    b'"""\n\n',
    b"pr",
    b"int",
    b"print",
    b"ret",
    b"return",
    b" x",
    b"\xf0\x9f",
    b"\x98\x80",
]


@pytest.mark.parametrize(
    ("pieces", "count"),
    [
        ([b"return"], 0),  # nothing in the vocabulary is longer
        ([b"return", b" "], 1),  # " x" begins with it
        ([b"x", b"ret"], 1),  # half a word
        ([b'"""', b"\n"], 2),  # one token spells both and goes on
        ([b"x", b"\n   "], 1),
        ([b"x", b"\n", b"  ", b" "], 3),  # newline and spaces begin one long token
        ([b"pr", b"int"], 0),  # "print" is whole: nothing is longer than it
        ([], 0),
        ([b"x", b"\xf0\x9f"], 0),  # half a character is not taken back alone
    ],
)
def test_backs_up_over_the_longest_end_that_begins_a_longer_token(pieces: list[bytes], count: int) -> None:
    assert back_up(pieces, Vocabulary(WORDS)) == count


def test_vocabulary_knows_what_goes_on() -> None:
    vocabulary = Vocabulary(WORDS)
    assert vocabulary.extends(b"pri")
    assert not vocabulary.extends(b"print")
    assert not vocabulary.extends(b"printf")
    assert not vocabulary.extends(b"")


def test_respelling_cuts_exactly_what_was_there() -> None:
    respelling = Respelling('"""\n')
    assert respelling.push('""') == ""
    assert not respelling.done
    assert respelling.push('"\n    re') == "    re"
    assert respelling.done
    assert respelling.push("turn") == "turn"


def test_respelling_refuses_another_text() -> None:
    assert Respelling("abc").push("abd") is None


def test_grammar_escapes_what_gbnf_reads() -> None:
    assert grammar('a"\\\n\té\x01') == 'root ::= "a\\"\\\\\\n\\té\\x01" [^\\x00]*'
