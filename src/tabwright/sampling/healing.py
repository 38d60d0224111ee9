"""Token healing: the ids of a text in, the ids to feed and the text to re-spell out.

A cursor seldom stands where the model would end a token: after indentation, a newline or half a word the text so far
ends in a token that the model, writing the same text, would have begun longer. Feeding that token asks the model to go
on from a place it never saw in training. So the engine backs up over the longest run of last tokens whose text begins
some longer token of the vocabulary, and constrains the first new tokens to spell that text again (`grammar`); the
spelt-again part is then cut from the output (`Respelling`).

References: the practice is known from Microsoft's guidance library ("token healing"); the rule for how far to back up
(the vocabulary decides, not a strip of white space) is our own, see `docs/decisions/0002-token-healing.md`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

MAX_TOKENS_BACK = 8


class Vocabulary:
    """The byte strings of a tokenizer's ordinary tokens, searchable by prefix."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._sorted = sorted({piece for piece in pieces if piece})
        self._longest = max(map(len, self._sorted), default=0)

    def extends(self, text: bytes) -> bool:
        """Whether some token begins with `text` and goes on."""
        if not text or len(text) >= self._longest:
            return False
        at = bisect_right(self._sorted, text)
        return at < len(self._sorted) and self._sorted[at].startswith(text)


def back_up(pieces: Sequence[bytes], vocabulary: Vocabulary) -> int:
    """How many of the text's last tokens to take back, given their byte strings in order.

    Returns the largest count up to `MAX_TOKENS_BACK` whose joined text begins a longer token, extended while the text
    taken back is not whole UTF-8; 0 where the text ends just where a token must end.
    """
    best = 0
    tail = b""
    for count, piece in enumerate(reversed(pieces[-MAX_TOKENS_BACK:]), start=1):
        tail = piece + tail
        if vocabulary.extends(tail) and _is_utf8(tail):
            best = count
    return best


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def grammar(text: str) -> str:
    """A GBNF grammar of all texts that begin with `text`."""
    spelt = "".join(_escape(character) for character in text)
    return f'root ::= "{spelt}" [^\\x00]*'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    if ord(character) < 0x20 or ord(character) == 0x7F:
        return f"\\x{ord(character):02X}"
    return character


class Respelling:
    """Cuts the spelt-again text from the beginning of one sample's stream."""

    def __init__(self, text: str) -> None:
        self._left = text

    @property
    def done(self) -> bool:
        """Whether the whole text has been spelt again."""
        return not self._left

    def push(self, text: str) -> str | None:
        """Take the next piece; return what is new in it, or None if the text is not being spelt again."""
        length = min(len(self._left), len(text))
        if text[:length] != self._left[:length]:
            return None
        self._left = self._left[length:]
        return text[length:]
