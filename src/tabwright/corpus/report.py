"""A finished build -> what was kept, what each rule dropped, and examples to judge it by: plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabwright.corpus.batch import values
from tabwright.corpus.duplicates.clusters import Clusters
from tabwright.corpus.passes.selecting import Selecting
from tabwright.corpus.passes.sieve import Tally

SAME, SIMILAR = "same text", "similar text"
# Upper ends of the classes in which sizes are counted, in bytes; the last one has none.
_SIZES = (1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What became of a corpus.

    Attributes:
        rules: what each rule saw and did, in order; duplicates last.
        documents, size_bytes: what is kept.
        languages: documents and bytes of each, the largest first.
        licences: documents of each.
        sizes: documents of up to so many bytes; key 0 stands for larger ones.
        clusters: how many clusters of similar texts have so many members.
        candidates, similar: pairs that were compared, and those that were similar.
    """

    rules: dict[str, Tally]
    documents: int
    size_bytes: int
    languages: dict[str, tuple[int, int]]
    licences: dict[str, int]
    sizes: dict[int, int]
    clusters: dict[int, int]
    candidates: int
    similar: int

    def to_mapping(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


def make_report(selecting: Selecting, found: Clusters) -> Report:
    """Add up what each partition's marker says, and what is kept of it."""
    rules: dict[str, Tally] = {}
    for partition in range(selecting.n_partitions):
        for name, tally in selecting.cleaning.tallies(partition).items():
            rules.setdefault(name, Tally()).add(tally)
    languages: dict[str, Counter[str]] = {"documents": Counter(), "bytes": Counter()}
    licences: Counter[str] = Counter()
    sizes: Counter[int] = Counter()
    lost: dict[str, Counter[str]] = {SAME: Counter(), SIMILAR: Counter()}
    is_kept = found.kept == np.arange(len(found.kept))
    begins = 0
    for partition in range(selecting.n_partitions):
        table = selecting.cleaned(partition)
        kept = is_kept[begins : begins + len(table)]
        begins += len(table)
        lengths = pc.binary_length(table.column("text")).to_numpy()[kept]
        named = table.select(["language", "licence"]).filter(pa.array(kept))
        licences.update(values(named, "licence"))
        sizes.update((*_SIZES, 0)[at] for at in np.searchsorted(_SIZES, lengths).tolist())
        for language, length in zip(values(named, "language"), lengths.tolist(), strict=True):
            languages["documents"][language] += 1
            languages["bytes"][language] += length
        gone = pq.read_table(selecting.dropped(partition), columns=["rule", "bytes"])
        for rule, length in zip(*(gone.column(name).to_pylist() for name in ("rule", "bytes")), strict=True):
            if rule in lost:
                lost[rule].update(files=1, bytes=length)
    n_documents, size_bytes = languages["documents"].total(), languages["bytes"].total()
    left = Counter(files=n_documents, bytes=size_bytes) + lost[SAME] + lost[SIMILAR]
    for rule, gone_by in lost.items():
        rules[rule] = Tally(
            files=left["files"], size_bytes=left["bytes"], dropped=gone_by["files"], dropped_bytes=gone_by["bytes"]
        )
        left = left - gone_by
    members = Counter(Counter(found.kept[~found.exact].tolist()).values())
    return Report(
        rules=rules,
        documents=n_documents,
        size_bytes=size_bytes,
        languages={name: (languages["documents"][name], length) for name, length in languages["bytes"].most_common()},
        licences=dict(licences.most_common()),
        sizes={end: sizes[end] for end in (*_SIZES, 0)},
        clusters={size: count for size, count in sorted(members.items()) if size > 1},
        candidates=found.n_candidates,
        similar=found.n_similar,
    )
