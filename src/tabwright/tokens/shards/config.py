"""What a recipe's `[shards]` and `[batches]` tables say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_MOST_TOKENS = 1 << 26  # of a batch: a GiB of ids, masks and numbers of documents


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardsConfig:
    """How a document becomes tokens.

    Attributes:
        header: what stands before its text: nothing, its path, or its repository and its path.
        language_tags: the token of its language stands before all that.
    """

    header: Literal["none", "path", "repository"] = "none"
    language_tags: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Infilling:
    """Which texts are rearranged so that their middle comes last (Bavarian et al. 2022, sections 3 and 4).

    Attributes:
        rate: the share of documents, or of their parts within a window.
        spm: of these, the share in the order suffix, prefix, middle; the others are prefix, suffix, middle.
        level: `document` rearranges whole documents, which windows then cut; `context` what a window holds of each, so
            that no part of it is cut away.
        split: where the middle may begin and end: at any `character`, or between the text's own tokens.
    """

    rate: float = 0.0
    spm: float = 0.5
    level: Literal["document", "context"] = "context"
    split: Literal["character", "token"] = "character"

    def __post_init__(self) -> None:
        for name in ("rate", "spm"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: got {getattr(self, name)}, must be from 0 to 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchesConfig:
    """What a batch is drawn from, and how.

    Attributes:
        length: the tokens of a row that a model reads; a row has one more, the last that it is to foretell.
        rows: of a batch.
        seed: of the order of documents and windows, and of infilling.
        weights: the share of windows from each corpus, in thousandths at least; by their sizes where empty.
        infilling: which texts are rearranged.
    """

    length: int = 2048
    rows: int = 8
    seed: int = 0
    weights: tuple[float, ...] = ()
    infilling: Infilling = Infilling()

    def __post_init__(self) -> None:
        for name in ("length", "rows"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: got {getattr(self, name)}, must be at least 1")
        if self.rows * self.length > _MOST_TOKENS:
            raise ValueError(f"rows: got {self.rows} of {self.length} tokens, must be {_MOST_TOKENS:,} in all at most")
        if self.seed < 0:
            raise ValueError(f"seed: got {self.seed}, must be at least 0")
        if any(not 0 < weight < float("inf") for weight in self.weights):
            raise ValueError(f"weights: got {list(self.weights)}, all must be above 0")
