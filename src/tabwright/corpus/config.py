"""What a recipe's `[corpus]` table says: which files are kept, and how they are changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PERMISSIVE = (
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "PSF-2.0",
    "PostgreSQL", "Unlicense", "Zlib", "curl",
)  # fmt: skip
# What a number may be at most: more would take more memory than there is, or is no number of bytes or characters.
_MOST = {
    "max_average_line": 1 << 40, "max_line": 1 << 40, "min_bytes": 1 << 30, "max_bytes": 1 << 30,
    "contamination_words": 1000, "partition_bytes": 1 << 34,
}  # fmt: skip


def _bounded(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise ValueError(f"{name}: got {value}, must be from 1 to {most}")


@dataclass(frozen=True, kw_only=True, slots=True)
class NearDuplicates:
    """When two texts are taken for the same (Lee et al. 2022, section 4.2 and appendix A).

    Attributes:
        jaccard: the least share of common runs of words.
        n_words: the words of a run.
        n_bands, n_rows: candidates share all `n_rows` minima of one of `n_bands` bands.
    """

    jaccard: float = 0.85
    n_words: int = 5
    n_bands: int = 14
    n_rows: int = 8

    def __post_init__(self) -> None:
        if not 0 < self.jaccard <= 1:
            raise ValueError(f"jaccard: got {self.jaccard}, must be above 0 and at most 1")
        for name in ("n_words", "n_bands", "n_rows"):
            _bounded(name, getattr(self, name), 1000)


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusConfig:
    """One recipe.

    Attributes:
        rules: names of rules, in the order in which they are applied; `tabwright corpus rules` lists them.
        languages: GitHub linguist's names; all of them where empty.
        licences: SPDX names of those that are kept.
        unknown_licence: whether files are kept whose licence nobody states.
        max_average_line, max_line: characters.
        min_alphanumeric, min_alphabetic: shares of a file's bytes; bytes beyond ASCII count as letters.
        min_bytes, max_bytes: a file's size.
        unparsable: whether Python that does not parse as Python 3 is kept as it is.
        near_duplicates: which texts are taken for the same.
        contamination_words: how many words in a row of a benchmark's task a file may not have.
        partition_bytes: of files that one process has in work at once: it needs about four times as much memory.
    """

    rules: tuple[str, ...]
    languages: tuple[str, ...] = ()
    licences: tuple[str, ...] = PERMISSIVE
    unknown_licence: Literal["keep", "drop"] = "drop"
    max_average_line: int = 100
    max_line: int = 1000
    min_alphanumeric: float = 0.25
    min_alphabetic: float = 0.0
    min_bytes: int = 1
    max_bytes: int = 1_000_000
    unparsable: Literal["keep", "drop"] = "drop"
    near_duplicates: NearDuplicates = NearDuplicates()
    contamination_words: int = 10
    partition_bytes: int = 100_000_000

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            _bounded(name, getattr(self, name), most)
        if self.min_bytes > self.max_bytes:
            raise ValueError(f"min_bytes: got {self.min_bytes}, must be at most max_bytes, which is {self.max_bytes}")
        for name in ("min_alphanumeric", "min_alphabetic"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: got {getattr(self, name)}, must be from 0 to 1")
