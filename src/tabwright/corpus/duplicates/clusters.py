"""Digests and signatures of all texts -> which of them to keep: the best one of every cluster of (near) duplicates.

Memory: 12 bytes a text for each band while that is sorted, and the signatures, which may lie in a file.
References: Leskovec et al. 2020, section 3.4 (banding); connected components by union-find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from tabwright.corpus.config import NearDuplicates
from tabwright.corpus.duplicates.minhash import EMPTY, Signatures, bands
from tabwright.corpus.duplicates.words import Places

# Every pair of so many texts of one band is looked at; of more, each is compared with the first and the one before.
_ALL_PAIRS = 30
# Estimates this near to the threshold (three standard deviations of one are 0.1) are settled by the texts themselves.
_DOUBT = 0.1

Pairs = npt.NDArray[np.int64]
Exact = Callable[[Pairs], npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Which texts are kept.

    Attributes:
        kept: the text that stands for each one: itself where it is kept.
        exact: whether a text that is not kept is the same, byte by byte, as an earlier one.
        n_candidates: pairs that shared a band.
        n_similar: those of them that are similar enough.
    """

    kept: Places
    exact: npt.NDArray[np.bool_]
    n_candidates: int
    n_similar: int


def cluster(
    digests: npt.NDArray[np.bytes_], signed: Signatures, sizes: Places, config: NearDuplicates, exact: Exact
) -> Clusters:
    """Find duplicates, byte by byte and nearly, and keep of each cluster the longest text, the first of equals.

    Args:
        digests: of each text.
        signed: the signature of each text.
        sizes: bytes of each text.
        config: what a near duplicate is.
        exact: gives the Jaccard index of each of some pairs.
    """
    _, first, whose = np.unique(digests, return_index=True, return_inverse=True)
    represents = first[whose]
    single = np.flatnonzero(represents == np.arange(len(digests)))
    pairs = _candidates(signed, single, config)
    similar = pairs[_are_similar(signed, pairs, config, exact)]
    roots = _components(len(digests), similar)
    order = np.lexsort((single, -sizes[single], roots[single]))
    ordered = single[order]
    begins = np.flatnonzero(np.diff(roots[ordered], prepend=-1))
    best = np.zeros(len(digests), dtype=np.int64)
    best[roots[ordered[begins]]] = ordered[begins]
    kept = best[roots[represents]]
    is_exact = represents != np.arange(len(digests))
    return Clusters(kept, is_exact, len(pairs), len(similar))


def _candidates(signed: Signatures, rows: Places, config: NearDuplicates) -> Pairs:
    """Return the pairs of rows that share a band, each once, (pairs, 2)."""
    rows = rows[signed[rows, 0] != EMPTY]
    found = [np.zeros((0, 2), dtype=np.int64)]
    for band in bands(signed[rows], config):
        order = np.argsort(band, kind="stable")
        bounds = np.flatnonzero(np.diff(band[order], prepend=~band[order[:1]], append=~band[order[-1:]]))
        sizes = np.diff(bounds)
        twos = bounds[:-1][sizes == 2]
        found.append(np.stack([rows[order[twos]], rows[order[twos + 1]]], 1))
        more = np.flatnonzero(sizes > 2)
        for begin, end in zip(bounds[more].tolist(), bounds[more + 1].tolist(), strict=True):
            found += _pairs(rows[order[begin:end]])
    return np.unique(np.concatenate(found), axis=0)


def _pairs(rows: Places) -> Iterator[Pairs]:
    if len(rows) <= _ALL_PAIRS:
        yield rows[_all_pairs(len(rows))]
    else:
        yield np.stack([np.full(len(rows) - 1, rows[0]), rows[1:]], 1)
        yield np.stack([rows[1:-1], rows[2:]], 1)


@cache
def _all_pairs(n_rows: int) -> Pairs:
    return np.stack(np.triu_indices(n_rows, 1), 1)


def _are_similar(signed: Signatures, pairs: Pairs, config: NearDuplicates, exact: Exact) -> npt.NDArray[np.bool_]:
    estimates = np.empty(len(pairs))
    for start in range(0, len(pairs), 1 << 16):
        one, other = pairs[start : start + (1 << 16)].T
        estimates[start : start + (1 << 16)] = (signed[one] == signed[other]).mean(1)
    doubtful = np.abs(estimates - config.jaccard) <= _DOUBT
    estimates[doubtful] = exact(pairs[doubtful])
    return estimates >= config.jaccard


def _components(n_rows: int, pairs: Pairs) -> Places:
    """Return the least row of the component that each row belongs to."""
    roots = list(range(n_rows))

    def root_of(row: int) -> int:
        while roots[row] != row:
            roots[row] = row = roots[roots[row]]
        return row

    for one, other in pairs.tolist():
        first, second = sorted((root_of(one), root_of(other)))
        roots[second] = first
    return np.array([root_of(row) for row in range(n_rows)], dtype=np.int64)
