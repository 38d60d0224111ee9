"""Brackets: the end of the block that was open before a sample began, told line by line as the sample comes.

A function that follows the block and that the sample has called belongs to it as well. Strings and comments are told
apart by Pygments. A line counts when it is whole, so that no half of a string misleads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Error, Literal

# The next line that is no comment or attribute, and the first name in it that is called or defined.
_NEXT_LINE = re.compile(r"(?:[ \t]*(?://[^\n]*|#\[[^\n]*)?\n)*+([^\n]*\S[^\n]*)(\n?)")
_NAME = re.compile(r"(\w+)\s*(?:<[^>(]*>)?\s*\(")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A sample ends where the block ends in which `before` leaves off; `lexer` is a Pygments lexer's name."""

    before: str
    lexer: str


class BlockMatcher:
    """Cuts one sample's stream where its block ends; None never does."""

    def __init__(self, block: Block | None) -> None:
        self._block = block
        self._text = ""
        self._n_shown = 0
        self.stopped = False

    def push(self, text: str) -> str:
        """Take the next piece; return what can be shown now. After the block's end nothing more is shown."""
        if self._block is None or self.stopped:
            return "" if self.stopped else text
        self._text += text
        return self._show(self._text.rfind("\n") + 1, whole=False) if "\n" in text else ""

    def flush(self) -> str:
        """Return what was held back, at the end of the stream."""
        return "" if self._block is None or self.stopped else self._show(len(self._text), whole=True)

    def _show(self, length: int, *, whole: bool) -> str:
        """Return what is new of the first `length` characters and surely belongs to the sample."""
        assert self._block is not None
        sure, self.stopped = sample_end(self._block, self._text[:length], whole=whole)
        shown, self._n_shown = self._text[self._n_shown : sure], max(sure, self._n_shown)
        return shown


@cache
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)


def sample_end(block: Block, text: str, *, whole: bool) -> tuple[int, bool]:
    """Return how much of `text` surely belongs to the sample, and whether it ends there.

    Args:
        block: where the sample began.
        text: the sample so far, in whole lines.
        whole: nothing more comes.
    """
    for end in _ends(block, text):
        found = _NEXT_LINE.match(text, end)
        if found is None or not (found[2] or whole):
            return end, whole
        name = _NAME.search(found[1])
        if name is None or not _calls(text[:end], name[1]) or _calls(block.before, name[1]):
            return end, True
    return len(text), False


def _calls(text: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\s*\(", text) is not None


def _ends(block: Block, text: str) -> Iterator[int]:
    """Yield the places in `text` behind each bracket that closes all that was open."""
    if "}" not in text:
        return
    depth = 0
    for at, kind, piece in _lexer(block.lexer).get_tokens_unprocessed(block.before + text):
        if kind in Error:
            return  # most likely a string that is not closed yet
        if kind in Comment or kind in Literal:
            continue
        for offset, character in enumerate(piece):
            depth += (character == "{") - (character == "}")
            if character == "}" and depth <= 0 and at + offset >= len(block.before):
                yield int(at + offset + 1 - len(block.before))
