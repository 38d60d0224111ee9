"""Near duplicates by MinHash beside an exact Jaccard index of all pairs: recall and precision on real files.

    python benchmarks/duplicates.py SOURCE... [--each 100]

So many files from each source, that follow each other there (neighbours are alike, if any files are). The exact index
is computed apart from the corpus package: sets of runs of words that Python's expressions cut. Both sides join
similar pairs to clusters; what is compared is which pairs of files are in one cluster.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tabwright.corpus import CorpusConfig
from tabwright.corpus.build import build_corpus
from tabwright.corpus.config import NearDuplicates
from tabwright.corpus.duplicates.clusters import Pairs
from tabwright.corpus.sources import open_source

_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_LEAST, _MOST = 200, 100_000


def texts_of(place: str, most: int) -> Iterator[bytes]:
    """Yield some texts of a source, from its middle on."""
    source = open_source(place, _MOST)
    entries = [entry for entry in source.entries() if not entry.problem and entry.size_bytes >= _LEAST]
    start = max((len(entries) - most) // 2, 0)
    for file in source.read(entries[start : start + most]):
        with contextlib.suppress(UnicodeDecodeError):
            if "\0" not in file.text.decode():
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
    """Return for each text the one that stands for it in a corpus build."""
    representatives = list(range(len(texts)))
    with tempfile.TemporaryDirectory(prefix="tabwright-") as name:
        rows = {"path": [str(at) for at in range(len(texts))], "text": texts, "repository": ["r"] * len(texts)}
        pq.write_table(pa.table(rows), Path(name) / "files.parquet")
        config = CorpusConfig(rules=(), near_duplicates=near)
        build_corpus(config, [str(Path(name) / "files.parquet")], Path(name) / "corpus")
        for row in pq.read_table(Path(name) / "corpus" / "dropped").to_pylist():
            representatives[int(row["path"])] = int(row["reason"].removeprefix("r/"))
    return representatives


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
    parser.add_argument("--each", type=int, default=100)
    arguments = parser.parse_args()
    texts = [text for place in arguments.sources for text in texts_of(place, arguments.each)]
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
