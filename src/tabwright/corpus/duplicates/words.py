"""Texts -> hashes of their words -> hashes of runs of words (shingles), over whole batches at once.

A word is a run of letters, digits, underscores and bytes beyond ASCII; what stands between words does not count. Words
are read eight bytes at a time, all words of a block at once, so that none is ever cut out.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabwright.corpus.characters import BLOCK, Bytes, Marks, are_letters_or_digits

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

# Runs of words in work at once: what is computed of them stays in the processor's cache.
_RUNS, _LOOK_BACK = 1 << 15, 1 << 10
# Longer words are rare, and are hashed one by one.
_LONG = 32
_MIX = np.uint64(0xD6E8FEB86659FD93)

# What is left of eight bytes when only the first so many count.
_FIRST = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a batch of texts.

    Attributes:
        hashes: one for each word.
        offsets: where each text's words begin in it, and the last one's end: one more than there are texts.
    """

    hashes: Hashes
    offsets: Places

    def shingles(self, n_words: int) -> tuple[Hashes, Places]:
        """Return the hash of each run of so many words, and where each text's begin; shorter texts have none."""
        counts = np.maximum(np.diff(self.offsets) - (n_words - 1), 0)
        runs = np.empty(max(len(self.hashes) - n_words + 1, 0), dtype=np.uint64)
        for start in range(0, len(runs), _RUNS):
            runs[start : start + _RUNS] = self._runs(start, min(start + _RUNS, len(runs)), n_words)
        # Not those that begin in one text and end in the next.
        is_within = np.ones(len(runs), dtype=bool)
        ends = self.offsets[1:-1]
        for before in range(1, n_words):
            places = ends - before
            is_within[places[(places >= 0) & (places < len(runs))]] = False
        return runs[is_within], np.concatenate([[0], np.cumsum(counts)])

    def _runs(self, start: int, stop: int, n_words: int) -> Hashes:
        runs = self.hashes[start:stop] * _MIX
        for at in range(1, n_words):
            runs += self.hashes[start + at : stop + at]
            runs *= _MIX
        return _mixed(runs)


def words_of(texts: Bytes, offsets: Places) -> Words:
    """Return the words of texts that stand one after another.

    Args:
        texts: their bytes.
        offsets: where each begins, and the last one's end.
    """
    found = [_words_of_block(texts, start, stop, offsets) for start, stop in _blocks(texts, offsets)]
    hashes = [hashes for hashes, _ in found]
    starts = [starts for _, starts in found]
    if not found:
        return Words(np.zeros(0, np.uint64), np.zeros(len(offsets), np.int64))
    return Words(np.concatenate(hashes), np.searchsorted(np.concatenate(starts), offsets))


def _blocks(texts: Bytes, offsets: Places) -> Iterator[tuple[int, int]]:
    """Yield stretches of whole texts, or pieces of a long one that end between words wherever one ends near."""
    start = int(offsets[0])
    for begins, ends in itertools.pairwise(offsets.tolist()):
        if ends - start <= BLOCK:
            continue
        if begins > start:
            yield start, begins
        start = begins
        while ends - start > BLOCK:
            stop = start + BLOCK
            gaps = np.flatnonzero(~_are_words(texts[stop - _LOOK_BACK : stop]))
            stop = stop - _LOOK_BACK + int(gaps[-1]) + 1 if len(gaps) else stop
            yield start, stop
            start = stop
    if offsets[-1] > start:
        yield start, int(offsets[-1])


def _words_of_block(texts: Bytes, start: int, stop: int, offsets: Places) -> tuple[Hashes, Places]:
    """Return the hashes of a block's words, and where each begins."""
    block = texts[start:stop]
    is_word = np.zeros(len(block) + 2, dtype=bool)
    is_word[1:-1] = _are_words(block)
    edges = is_word[1:] != is_word[:-1]
    borders = np.unique(offsets[np.searchsorted(offsets, start, "right") : np.searchsorted(offsets, stop)]) - start
    places = np.flatnonzero(edges)
    if len(borders):  # a text may end with a word and the next begin with one
        torn = borders[is_word[borders] & is_word[borders + 1]]
        places = np.sort(np.concatenate([places, torn, torn])) if len(torn) else places
    return _hashes(block.tobytes(), places[::2], places[1::2] - places[::2]), places[::2] + start


def _hashes(block: bytes, starts: Places, lengths: Places) -> Hashes:
    """Return the hashes of words in a block, eight bytes of each at a time as long as any word has more."""
    padded = block + bytes(_LONG)
    eights = np.ndarray((len(block) + 1,), "<u8", padded, strides=(1,))
    hashes = (eights[starts] & _FIRST[np.minimum(lengths, 8)]) * _MIX
    rows = np.flatnonzero(lengths > 8)
    for at in range(8, _LONG, 8):
        left = lengths[rows] - at
        hashes[rows] = _mixed(hashes[rows]) + (eights[starts[rows] + at] & _FIRST[np.minimum(left, 8)])
        rows = rows[left > 8]
    for row in rows.tolist():
        word = block[starts[row] : starts[row] + lengths[row]]
        hashes[row] = int.from_bytes(hashlib.blake2b(word, digest_size=8).digest(), "little")
    return hashes


def _are_words(block: Bytes) -> Marks:
    marks = are_letters_or_digits(block)
    marks |= block == ord("_")
    return marks


def _mixed(hashes: Hashes) -> Hashes:
    """Spread every bit of a hash over all of them."""
    hashes = (hashes ^ (hashes >> np.uint64(32))) * _MIX
    hashes = (hashes ^ (hashes >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15)
    return hashes ^ (hashes >> np.uint64(32))
