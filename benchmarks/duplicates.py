"""Near duplicates by MinHash beside an exact Jaccard index of all pairs: recall and precision on real files.

    python benchmarks/duplicates.py SOURCE... [--files 5000]

As many files from each source, that follow each other there (whose neighbours are alike, if any files are). The exact
index is computed apart from the corpus package: sets of runs of words that Python's expressions cut. Both sides join
similar pairs to clusters; what is compared is which pairs of files are in one cluster.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from tabwright.corpus.config import NearDuplicates
from tabwright.corpus.duplicates.clusters import Pairs, cluster
from tabwright.corpus.duplicates.minhash import signatures
from tabwright.corpus.sources import open_source

_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_LEAST, _MOST = 200, 100_000


def texts_of(place: str, most: int) -> Iterator[bytes]:
    """Yield some texts of a source, from its middle on."""
    source = open_source(place, _MOST)
    entries = [entry for entry in source.entries() if not entry.problem and entry.size_bytes >= _LEAST]
    start = max((len(entries) - most) // 2, 0)
    for file in source.read(entries[start : start + most]):
        if file.text and b"\0" not in file.text:
            yield file.text


def exact_pairs(texts: Sequence[bytes], near: NearDuplicates) -> Pairs:
    """Return all pairs whose Jaccard index reaches the threshold, (pairs, 2)."""
    holders: dict[tuple[bytes, ...], list[int]] = defaultdict(list)
    sizes = np.zeros(len(texts), dtype=np.int64)
    for at, text in enumerate(texts):
        words = _WORD.findall(text)
        runs = {tuple(words[start : start + near.n_words]) for start in range(len(words) - near.n_words + 1)}
        sizes[at] = len(runs)
        for run in runs:
            holders[run].append(at)
    common = np.zeros((len(texts), len(texts)), dtype=np.int32)
    for rows in holders.values():
        if len(rows) > 1:
            common[np.ix_(rows, rows)] += 1
    either = sizes[:, None] + sizes[None, :] - common
    similar = np.triu(common >= near.jaccard * np.maximum(either, 1), 1) & (common > 0)
    return np.argwhere(similar)


def minhash_clusters(texts: Sequence[bytes], near: NearDuplicates) -> list[int]:
    """Return for each text the one that stands for it, as a corpus build finds it."""
    joined = np.frombuffer(b"".join(texts), dtype=np.uint8)
    offsets = np.cumsum([0, *map(len, texts)])
    digests = np.array([hashlib.sha256(text).digest()[:16] for text in texts], dtype="V16")
    runs = [{*zip(*(words[at:] for at in range(near.n_words)), strict=False)} for words in map(_WORD.findall, texts)]

    def exact(pairs: Pairs) -> np.ndarray:
        shares = [len(runs[a] & runs[b]) / max(len(runs[a] | runs[b]), 1) for a, b in pairs.tolist()]
        return np.array(shares, dtype=np.float64)

    found = cluster(digests, signatures(joined, offsets, near), np.diff(offsets), near, exact)
    return [int(kept) for kept in found.kept]


def together(representatives: Sequence[int]) -> set[tuple[int, int]]:
    """Return the pairs that are in one cluster."""
    members = defaultdict(list)
    for at, representative in enumerate(representatives):
        members[representative].append(at)
    return {pair for group in members.values() for pair in itertools.combinations(group, 2)}


def joined_by(pairs: Pairs, texts: Sequence[bytes]) -> list[int]:
    """Return for each text the first one that a chain of pairs, or of equal texts, leads to."""
    roots = list(range(len(texts)))

    def root_of(at: int) -> int:
        while roots[at] != at:
            at = roots[at]
        return at

    first: dict[bytes, int] = {}
    equal = [(first.setdefault(text, at), at) for at, text in enumerate(texts)]
    for one, other in itertools.chain(equal, map(tuple, pairs.tolist())):
        a, b = sorted((root_of(one), root_of(other)))
        roots[b] = a
    return [root_of(at) for at in range(len(texts))]


def main() -> None:
    """Read the files, find duplicates in both ways, print what they agree on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--files", type=int, default=5000)
    arguments = parser.parse_args()
    share = -(-arguments.files // len(arguments.sources))
    texts = [text for place in arguments.sources for text in texts_of(place, share)][: arguments.files]
    near = NearDuplicates()
    start = time.perf_counter()
    true = together(joined_by(exact_pairs(texts, near), texts))
    middle = time.perf_counter()
    found = together(minhash_clusters(texts, near))
    end = time.perf_counter()
    both = len(true & found)
    print(f"{len(texts):,} files, {sum(map(len, texts)) / 1e6:.1f} MB, Jaccard index of at least {near.jaccard}")
    print(f"pairs in one cluster: {len(true):,} by all pairs ({middle - start:.0f} s), {len(found):,} by MinHash "
          f"({end - middle:.1f} s), {both:,} by both")  # fmt: skip
    print(f"recall {both / max(len(true), 1):.2%}, precision {both / max(len(found), 1):.2%}")


if __name__ == "__main__":
    main()
