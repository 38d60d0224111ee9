"""Texts -> signatures: the least hashes of their runs of words, under many permutations.

References: Broder 1997 (the share of equal minima estimates the Jaccard index); Lee et al. 2022, appendix A.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import rensa

from tabwright.corpus.config import NearDuplicates
from tabwright.corpus.duplicates.words import Hashes, Words

Signatures = npt.NDArray[np.uint32]

_SEED = 1
# Of a text with too few words for one run: no minimum is there, and no band counts.
EMPTY = np.uint32(0xFFFFFFFF)
_MIX = np.uint64(0x9E3779B97F4A7C15)


def signatures(words: Words, config: NearDuplicates) -> Signatures:
    """Return one signature for each text, (texts, bands * rows)."""
    runs, begins = words.shingles(config.n_words)
    n_permutations = config.n_bands * config.n_rows
    matrix = rensa.RMinHash.digest_matrix_from_flat_token_hashes(runs, begins.astype(np.uint64), n_permutations, _SEED)
    return np.array(matrix.to_rows(), dtype=np.uint32).reshape(len(begins) - 1, n_permutations)


def bands(signed: Signatures, config: NearDuplicates) -> Hashes:
    """Return the hash of each band of each signature, (bands, texts): equal where all its minima are."""
    parts = signed.reshape(len(signed), config.n_bands, config.n_rows)
    mixed = np.zeros(parts.shape[:2], dtype=np.uint64)
    for row in range(config.n_rows):
        mixed = (mixed ^ parts[:, :, row]) * _MIX
        mixed ^= mixed >> np.uint64(31)
    return np.ascontiguousarray(mixed.T)
