"""Stop rules, fed one character at a time and all at once."""

from __future__ import annotations

import pytest

from tabwright.sampling.stops import StopMatcher, line_after


def run(stops: tuple[str, ...], pieces: list[str]) -> tuple[str, bool]:
    matcher = StopMatcher(stops)
    shown = "".join(matcher.push(piece) for piece in pieces)
    return shown + matcher.flush(), matcher.stopped


@pytest.mark.parametrize(
    ("stops", "text", "expected"),
    [
        ((), "a\ndef b", "a\ndef b"),
        (("\ndef",), "a\ndef b", "a"),
        (("\ndef",), "a\nde", "a\nde"),
        (("\ndef", "\n"), "a\ndef b", "a"),
        (("aab",), "aaab", "a"),
        (("",), "abc", "abc"),
        (("\ndef", "\nprint"), "    return 1\n\nprint(f(2))", "    return 1\n"),
    ],
)
def test_text_is_cut_at_the_first_stop_however_it_arrives(stops: tuple[str, ...], text: str, expected: str) -> None:
    assert run(stops, [text])[0] == expected
    assert run(stops, list(text)) == (expected, expected != text)


def test_no_part_of_a_stop_string_is_ever_shown() -> None:
    matcher = StopMatcher(("STOP",))
    assert matcher.push("goST") == "go"
    assert matcher.push("ILL ST") == "STILL "
    assert matcher.push("OP and more") == ""
    assert matcher.push("never shown") == ""
    assert matcher.stopped


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        ("", None),
        (")", None),
        ("\n    return x\n", "\n    return x"),
        (" tail\n\n    }\n    done()\n", "\n    done()"),
        ("\n}\n)\n", None),
    ],
)
def test_line_after_is_the_first_following_line_that_says_something(suffix: str, expected: str | None) -> None:
    assert line_after(suffix) == expected
