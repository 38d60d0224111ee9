"""What every tokenizer does, whatever file it was read from. Which kind a file is, `open_tokenizer` finds out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class TokenizerError(ValueError):
    """A tokenizer's file that cannot be used; the message names it and the remedy."""


class Tokenizer(Protocol):
    """Text <-> ids."""

    @property
    def special(self) -> Mapping[str, int]:
        """The ids of special tokens by their texts; a user's text becomes one of them only where it is asked for."""

    @property
    def opening(self) -> tuple[int, ...]:
        """The tokens that stand before every text; none where the model was trained without."""

    @property
    def eos_ids(self) -> frozenset[int]:
        """Tokens that end a text."""

    @property
    def chat_template(self) -> str:
        """A Jinja template of conversations; empty where there is none."""

    @property
    def vocab_size(self) -> int:
        """How many ids there are."""

    def encode(self, text: str, *, special: bool = False, begins: bool = False) -> list[int]:
        """Return the ids of a text, without those of `opening`.

        Args:
            text: any.
            special: the texts of special tokens in it become those tokens.
            begins: a document begins with it; some models put a space there.
        """

    def piece(self, token: int) -> bytes:
        """Return the bytes that an ordinary token stands for; a special one stands for none."""


def decode(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    """Return the text of ids; bytes that are not whole UTF-8 become U+FFFD."""
    return b"".join(tokenizer.piece(token) for token in ids).decode("utf-8", "replace")
