"""A text's ids -> the same text with its middle last, so that a model learns to fill in.

References: Bavarian et al. 2022, sections 3 (PSM, SPM, splits by character) and 4.3; Roziere et al. 2023, section 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabwright.tokens.infill import infill_format, infill_tokens
from tabwright.tokens.shards.config import Infilling
from tabwright.tokens.shards.encoder import Encoder
from tabwright.tokens.shards.store import ShardsError, Tokens

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rearranged:
    """A text whose middle comes last.

    Attributes:
        ids: of the three parts and their marks.
        learned: False for the marks, which a model is given and never asked for.
    """

    ids: Tokens
    learned: Mask


class Infiller:
    """Rearranges some texts.

    Args:
        config: which, and how.
        encoder: the tokenizer.

    Raises:
        ShardsError: texts are to be rearranged, and the tokenizer has no tokens for that.
    """

    def __init__(self, config: Infilling, encoder: Encoder) -> None:
        self._config = config
        self._encoder = encoder
        special = encoder.tokenizer.special
        known = infill_format(special)
        if config.rate and known is None:
            raise ShardsError(f"{encoder.folder}: its tokenizer has no infill tokens; set infilling.rate = 0")
        self._marks = {name: special[known[name]] for name in ("prefix", "suffix", "middle")} if known else {}
        self._end = [special[text] for text in infill_tokens(special)[1]]

    def rearrange(self, ids: Tokens, dice: np.random.Generator) -> Rearranged | None:
        """Return a text rearranged, or None where it stays as it is: by chance, or as it is no whole characters."""
        if dice.random() >= self._config.rate or not len(ids):
            return None
        parts = self._between_tokens(ids, dice) if self._config.split == "token" else self._anywhere(ids, dice)
        if parts is None:
            return None
        prefix, middle, suffix = parts
        marks = self._marks
        if dice.random() < self._config.spm:
            order: list[Tokens | list[int]] = [
                [marks["prefix"]],
                [marks["suffix"]],
                suffix,
                [marks["middle"]],
                prefix,
                middle,
                self._end,
            ]
            given = [1, 1, 0, 1, 0, 0, 0]
        else:
            order = [[marks["prefix"]], prefix, [marks["suffix"]], suffix, [marks["middle"]], middle, self._end]
            given = [1, 0, 1, 0, 1, 0, 0]
        learned = np.repeat([not mark for mark in given], [len(part) for part in order])
        whole = np.concatenate([np.asarray(part, np.uint32) for part in order])
        return Rearranged(whole, learned) if len(whole) >= len(ids) else None

    @staticmethod
    def _between_tokens(ids: Tokens, dice: np.random.Generator) -> tuple[Tokens, Tokens, Tokens]:
        first, second = sorted(dice.integers(0, len(ids) + 1, 2).tolist())
        return ids[:first], ids[first:second], ids[second:]

    def _anywhere(self, ids: Tokens, dice: np.random.Generator) -> tuple[Tokens, Tokens, Tokens] | None:
        """Cut at characters, and encode each part by itself: that is how a prompt will come."""
        try:
            text = b"".join(map(self._encoder.tokenizer.piece, ids.tolist())).decode()
        except UnicodeDecodeError:
            return None  # a window that begins or ends within a character
        first, second = sorted(dice.integers(0, len(text) + 1, 2).tolist())
        found, offsets = self._encoder.encode([text[:first], text[first:second], text[second:]])
        return found[: offsets[1]], found[offsets[1] : offsets[2]], found[offsets[2] :]
