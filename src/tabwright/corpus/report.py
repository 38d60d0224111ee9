"""A finished build -> what was kept, what each rule dropped, and examples to judge it by: plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabwright.corpus.batch import SourceFile, table_of, values, views
from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.duplicates.clusters import Clusters
from tabwright.corpus.passes.selecting import Selecting
from tabwright.corpus.passes.sieve import EXAMPLES, Tally, example
from tabwright.corpus.rules.tools import private

SAME, SIMILAR = "same text", "similar text"
# Upper ends of the classes in which sizes are counted, in bytes; the last one has none.
_REASONS, _SHOWN = 12, 600
_SIZES = (1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What became of a corpus.

    Attributes:
        rules: what each rule saw and did, in order; duplicates last.
        reasons: for what each rule dropped files most often, and how many.
        documents, size_bytes: what is kept.
        languages: documents and bytes of each, the largest first.
        licences: documents of each.
        sizes: documents of up to so many bytes; key 0 stands for larger ones.
        clusters: how many clusters of similar texts have so many members.
        candidates, similar: pairs that were compared, and those that were similar.
    """

    rules: dict[str, Tally]
    reasons: dict[str, dict[str, int]]
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
    lost = {SAME: Tally(), SIMILAR: Tally()}
    reasons: dict[str, Counter[str]] = {}
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
        gone = pq.read_table(selecting.dropped(partition))
        for rule, reason in zip(values(gone, "rule"), values(gone, "reason"), strict=True):
            if rule not in lost:
                reasons.setdefault(rule, Counter())[reason] += 1
        for rule, tally in lost.items():
            tally.add(_duplicates(rule, gone, table.filter(pa.array(~kept))))
    n_documents, size_bytes = languages["documents"].total(), languages["bytes"].total()
    files, left = (n_documents + sum(tally.dropped for tally in lost.values())), size_bytes
    left += sum(tally.dropped_bytes for tally in lost.values())
    for rule, tally in lost.items():
        rules[rule] = replace(tally, files=files, size_bytes=left)
        files, left = files - tally.dropped, left - tally.dropped_bytes
    _hide(rules, selecting.cleaning.plan.config)
    members = Counter(Counter(found.kept[~found.exact].tolist()).values())
    return Report(
        rules=rules,
        reasons={rule: dict(counted.most_common(_REASONS)) for rule, counted in reasons.items()},
        documents=n_documents,
        size_bytes=size_bytes,
        languages={name: (languages["documents"][name], length) for name, length in languages["bytes"].most_common()},
        licences=dict(licences.most_common()),
        sizes={end: sizes[end] for end in (*_SIZES, 0)},
        clusters={size: count for size, count in sorted(members.items()) if size > 1},
        candidates=found.n_candidates,
        similar=found.n_similar,
    )


def _duplicates(rule: str, gone: pa.Table, cleaned: pa.Table) -> Tally:
    """Count what is a duplicate of a kind, with examples; `cleaned` holds all duplicates' texts, in order."""
    listed = gone.slice(len(gone) - len(cleaned))
    chosen = pc.equal(listed.column("rule"), rule)
    its = listed.filter(chosen).append_column("text", cleaned.column("text").filter(chosen))
    first = its.slice(0, EXAMPLES).to_pylist()
    examples = [example(f"{row['repository']}/{row['path']}", f"as {row['reason']}", row["text"]) for row in first]
    return Tally(dropped=len(its), dropped_bytes=pc.sum(its.column("bytes")).as_py() or 0, examples=examples)


def _hide(rules: Mapping[str, Tally], config: CorpusConfig) -> None:
    """Cut the examples short; what the corpus must not hold must not be in them either."""
    rows = [row for tally in rules.values() for row in tally.examples]
    texts = [row["text"].encode() for row in rows]
    if "private" in config.rules and rows:
        files = [SourceFile(repository="", path=str(at), text=text) for at, text in enumerate(texts)]
        texts = [bytes(text) for text in views(private(config)(table_of(files)))]
    for row, text in zip(rows, texts, strict=True):
        row["text"] = text.decode(errors="replace")[:_SHOWN]
