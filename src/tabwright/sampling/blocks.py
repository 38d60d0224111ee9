"""Brackets: the end of the block that was open before a sample began, told line by line as the sample comes.

Strings and comments are told apart by Pygments. A line counts when it is whole, so that no half of a string misleads.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Error, Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A sample ends where the block ends in which `before` leaves off; `lexer` is a Pygments lexer's name."""

    before: str
    lexer: str


class BlockMatcher:
    """Cuts one sample's stream where its block ends; None never does."""

    def __init__(self, block: Block | None) -> None:
        self._block = block
        self._text = self._line = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """Take the next piece; return what can be shown now. After the block's end nothing more is shown."""
        if self._block is None or self.stopped:
            return "" if self.stopped else text
        self._line += text
        whole, newline, self._line = self._line.rpartition("\n")
        return self._take(whole + newline)

    def flush(self) -> str:
        """Return what was held back, at the end of the stream."""
        rest, self._line = self._line, ""
        return "" if self.stopped else self._take(rest)

    def _take(self, text: str) -> str:
        start, self._text = len(self._text), self._text + text
        if self._block is None or "}" not in text:
            return text
        end = block_end(self._block, self._text)
        if end is None:
            return text
        self.stopped = True
        return self._text[start:end]


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)


def block_end(block: Block, text: str) -> int | None:
    """Return how much of `text` belongs to the block, its closing bracket included; None where it does not end."""
    depth = 0
    for at, kind, piece in _lexer(block.lexer).get_tokens_unprocessed(block.before + text):
        if kind in Error:
            return None  # most likely a string that is not closed yet
        if kind in Comment or kind in Literal:
            continue
        for offset, character in enumerate(piece):
            depth += (character == "{") - (character == "}")
            if character == "}" and depth <= 0 and at + offset >= len(block.before):
                return int(at + offset + 1 - len(block.before))
    return None
