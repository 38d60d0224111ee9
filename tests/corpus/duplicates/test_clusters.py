"""Near duplicates, beside the Jaccard index of all pairs."""

from __future__ import annotations

import hashlib
import itertools
import random

import numpy as np
import numpy.typing as npt

from tabwright.corpus import NearDuplicates
from tabwright.corpus.duplicates.clusters import Clusters, Pairs, cluster
from tabwright.corpus.duplicates.minhash import signatures
from tabwright.corpus.duplicates.words import words_of

CONFIG = NearDuplicates()


def runs_of(text: bytes) -> set[int]:
    array = np.frombuffer(text, dtype=np.uint8)
    return set(words_of(array, np.array([0, len(text)])).shingles(CONFIG.n_words)[0].tolist())


def jaccard(one: set[int], other: set[int]) -> float:
    return len(one & other) / max(len(one | other), 1)


def clustered(texts: list[bytes]) -> Clusters:
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    signed = signatures(words_of(np.frombuffer(b"".join(texts), dtype=np.uint8), offsets), CONFIG)
    digests = np.array([hashlib.sha256(text).digest()[:16] for text in texts], dtype="V16")

    def exact(pairs: Pairs) -> npt.NDArray[np.float64]:
        return np.array([jaccard(runs_of(texts[one]), runs_of(texts[other])) for one, other in pairs.tolist()])

    return cluster(digests, signed, np.diff(offsets), CONFIG, exact)


def varied(n_families: int) -> list[bytes]:
    """Return families of texts, in which each member has some of the words replaced: from none to a tenth of them."""
    generator = random.Random(7)
    texts = []
    for family in range(n_families):
        words = [f"w{generator.randrange(3000)}" for _ in range(generator.randint(40, 400))]
        for member in range(4):
            share = generator.uniform(0, 0.1) if member else 0
            new = [f"n{family}_{member}" if generator.random() < share else word for word in words]
            texts.append(" ".join(new).encode())
    return texts


def test_nearly_all_similar_pairs_are_found_and_no_other() -> None:
    texts = varied(200)
    found = clustered(texts).kept
    sets = [runs_of(text) for text in texts]
    pairs = [
        (family * 4 + one, family * 4 + other)
        for family in range(200)
        for one, other in itertools.combinations(range(4), 2)
    ]
    similar = {pair for pair in pairs if jaccard(sets[pair[0]], sets[pair[1]]) >= CONFIG.jaccard}
    assert len(similar) > 100
    together = {pair for pair in pairs if found[pair[0]] == found[pair[1]]}
    assert len(similar & together) / len(similar) >= 0.95
    # A chain of similar texts is one cluster, whose ends may be less similar; nothing else may be in it.
    for one, other in together - similar:
        assert jaccard(sets[one], sets[other]) > 0.6
    assert all(row // 4 == kept // 4 for row, kept in enumerate(found))


def test_the_longest_of_a_cluster_is_kept_and_the_first_of_equals() -> None:
    base = " ".join(f"word{at}" for at in range(300))
    texts = [f"{base} x".encode(), f"{base} longer_end".encode(), b"something else " * 20, f"{base} x".encode()]
    found = clustered(texts)
    assert found.kept.tolist() == [1, 1, 2, 1]
    assert found.exact.tolist() == [False, False, False, True]


def test_short_texts_are_duplicates_only_byte_by_byte() -> None:
    found = clustered([b"a b", b"a  b", b"a b", b""])
    assert found.kept.tolist() == [0, 1, 0, 3]


def test_a_crowd_of_similar_texts_is_one_cluster() -> None:
    base = " ".join(f"word{at}" for at in range(400))
    found = clustered([f"{base} end{at}".encode() for at in range(300)])
    assert len(set(found.kept.tolist())) == 1


def test_nothing_at_all_is_no_error() -> None:
    assert len(clustered([]).kept) == 0
