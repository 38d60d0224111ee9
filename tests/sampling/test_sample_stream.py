"""One sample's stream: text and tokens stay together through healing, stop strings and held-back text."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tabwright.sampling.engine import SamplingOptions, Token
from tabwright.sampling.sample_stream import SampleStream, server_sent


def run(
    respell: str, stops: tuple[str, ...], pieces: list[str], max_tokens: int = 100
) -> tuple[str, list[str], SampleStream]:
    stream = SampleStream(respell, SamplingOptions(stop=stops), max_tokens)
    text, tokens = "", []
    for number, piece in enumerate(pieces):
        shown, drawn = stream.push(piece, [Token(text=piece, logprob=-float(number))])
        text += shown
        tokens += [token.text for token in drawn]
    shown, drawn = stream.flush()
    return text + shown, tokens + [token.text for token in drawn], stream


def test_everything_passes_where_there_is_nothing_to_cut() -> None:
    text, tokens, stream = run("", (), ["a", "b c", "\n"])
    assert (text, tokens, stream.n_tokens) == ("ab c\n", ["a", "b c", "\n"], 3)


def test_respelt_tokens_are_not_reported_and_the_one_across_the_seam_is_cut() -> None:
    text, tokens, stream = run("\n    re", (), ["\n   ", " ret", "urn"])
    assert (text, tokens) == ("turn", ["t", "urn"])
    assert stream.respelt


def test_tokens_of_a_stop_string_are_not_reported() -> None:
    text, tokens, stream = run("", ("\ndef",), ["x = 1", "\n", "de", "f g"])
    assert (text, tokens) == ("x = 1", ["x = 1"])
    assert stream.stopped


def test_a_false_alarm_brings_the_held_tokens_back() -> None:
    text, tokens, stream = run("", ("\ndef",), ["x", "\n", "de", "l x"])
    assert (text, tokens) == ("x\ndel x", ["x", "\n", "de", "l x"])
    assert not stream.stopped


def test_respelt_tokens_do_not_count_against_the_limit() -> None:
    assert not run("\n    ", (), ["\n", "    "], max_tokens=1)[2].over
    _, tokens, stream = run("\n    ", (), ["\n", "   ", " x"], max_tokens=1)
    assert tokens == [" x"[1:]]
    assert stream.over
    assert not stream.stopped


def test_an_engine_that_does_not_respell_is_an_error() -> None:
    with pytest.raises(ValueError, match="did not spell"):
        run("abc", (), ["ab", "d"])


async def test_events_are_split_at_newlines_only() -> None:
    async def pieces() -> AsyncIterator[str]:
        for piece in ('data: {"te', 'xt": "a\u2028b\x85c"}\n\ndata:', ' {"n": 1}\r\n: comment\n\nda', "ta: [DONE]\n"):
            yield piece

    assert [event async for event in server_sent(pieces())] == [{"text": "a\u2028b\x85c"}, {"n": 1}]
