"""Cleaned partitions -> duplicates -> the documents that are kept, partition by partition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabwright.corpus.batch import slices, texts, values
from tabwright.corpus.duplicates.clusters import Clusters, Pairs, cluster
from tabwright.corpus.duplicates.words import Hashes, Places, words_of
from tabwright.corpus.passes.cleaning import Cleaning
from tabwright.corpus.passes.sieve import DROPPED
from tabwright.corpus.passes.storage import mapped, write_table
from tabwright.records import replacing

# Of a group of rows in the files of documents: what is read, and encoded, at once.
_GROUP_BYTES = 16_000_000

DOCUMENTS = pa.schema(
    [(name, pa.string()) for name in ("text", "path", "repository", "revision", "language", "licence", "sha256")]
    + [("changes", pa.list_(pa.string()))]
)


@dataclass(frozen=True)
class Selecting:
    """The second of the two passes over a corpus.

    Attributes:
        cleaning: the first.
        n_partitions: how many there are.
    """

    cleaning: Cleaning
    n_partitions: int

    def documents(self, partition: int) -> Path:
        """Return where a partition's documents go."""
        return self.cleaning.plan.folder / "documents" / f"{partition:06}.parquet"

    def dropped(self, partition: int) -> Path:
        """Return where a partition's list of dropped files goes."""
        return self.cleaning.plan.folder / "dropped" / f"{partition:06}.parquet"

    @property
    def _decision(self) -> Path:
        return self.cleaning.plan.work / "kept.npy"

    def decide(self) -> Clusters:
        """Find all duplicates and write down which text stands for which."""
        found = cluster(
            np.concatenate([self._columns(partition)[0] for partition in range(self.n_partitions)]),
            self._signatures(),
            np.concatenate([self._columns(partition)[1] for partition in range(self.n_partitions)]),
            self.cleaning.plan.config.near_duplicates,
            self._jaccard,
        )
        with replacing(self._decision) as temporary, temporary.open("wb") as file:
            np.save(file, np.stack([found.kept, found.exact]))
        return found

    def __call__(self, partition: int) -> None:
        """Write one partition's documents and what of it was dropped, unless that was done."""
        if self.documents(partition).exists():
            return
        table = self.cleaned(partition)
        start, stop = self._begins[partition : partition + 2]
        representatives, is_exact = np.load(self._decision)[:, start:stop]
        kept = representatives == np.arange(start, stop)
        gone = table.filter(pa.array(~kept))
        reasons = [self._name(int(row)) for row in representatives[~kept]]
        rules = np.where(is_exact[~kept], "same text", "similar text").tolist()
        duplicates = pa.table(
            {
                **{name: gone.column(name) for name in ("repository", "revision", "path")},
                "rule": pa.array(rules, pa.string()),
                "reason": pa.array(reasons, pa.string()),
                "bytes": pc.binary_length(gone.column("text")),
            },
            schema=DROPPED,
        )
        before = pq.read_table(self.cleaning.path(partition, "dropped.parquet"))
        write_table(self.dropped(partition), [before, duplicates], DROPPED)
        # Last: that it is there says that the partition is done.
        write_table(self.documents(partition), _documents(table, kept), DOCUMENTS)

    @cached_property
    def _begins(self) -> Places:
        """Where each partition's texts begin among all, and the last one's end."""
        return np.cumsum([0] + [len(self.cleaned(partition)) for partition in range(self.n_partitions)])

    def cleaned(self, partition: int) -> pa.Table:
        """Return a partition's texts, duplicates among them."""
        return mapped(self.cleaning.path(partition, "arrow"))

    def _columns(self, partition: int) -> tuple[npt.NDArray[np.bytes_], Places]:
        table = self.cleaned(partition)
        digests = np.array([digest[:16] for digest in table.column("sha256").to_pylist()], dtype="V16")
        return digests, pc.binary_length(table.column("text")).to_numpy()

    def _signatures(self) -> npt.NDArray[np.uint32]:
        """Return all signatures, in a file that the system keeps in memory as far as there is room."""
        parts = [np.load(self.cleaning.path(at, "npy"), mmap_mode="r") for at in range(self.n_partitions)]
        near = self.cleaning.plan.config.near_duplicates
        path = self.cleaning.plan.work / "signatures.u32"
        whole = np.memmap(
            path, dtype=np.uint32, mode="w+", shape=(max(int(self._begins[-1]), 1), near.n_bands * near.n_rows)
        )
        for start, part in zip(self._begins, parts, strict=False):
            whole[start : start + len(part)] = part
        return whole[: self._begins[-1]]

    def _name(self, row: int) -> str:
        partition = int(np.searchsorted(self._begins, row, "right")) - 1
        repository, path = self._paths(partition)
        at = row - int(self._begins[partition])
        return f"{repository[at]}/{path[at]}"

    def _paths(self, partition: int) -> tuple[list[str], list[str]]:
        if partition not in self._known_paths:
            table = self.cleaned(partition)
            self._known_paths[partition] = (values(table, "repository"), values(table, "path"))
        return self._known_paths[partition]

    @cached_property
    def _known_paths(self) -> dict[int, tuple[list[str], list[str]]]:
        return {}

    def _jaccard(self, pairs: Pairs) -> npt.NDArray[np.float64]:
        """Return the share of common runs of words of each pair."""
        rows, places = np.unique(pairs, return_inverse=True)
        path = self.cleaning.plan.work / "runs.u64"
        offsets = [0]
        with path.open("wb") as file:
            for runs in self._runs(rows):
                file.write(runs.tobytes())
                offsets.append(offsets[-1] + len(runs))
        if not offsets[-1]:
            return np.zeros(len(pairs))
        whole = np.asarray(np.memmap(path, dtype=np.uint64, mode="r"))
        shares = np.empty(len(pairs))
        for at, (one, other) in enumerate(places.reshape(-1, 2).tolist()):
            first, second = whole[offsets[one] : offsets[one + 1]], whole[offsets[other] : offsets[other + 1]]
            both = np.sort(np.concatenate([first, second]), kind="stable")
            common = int(np.count_nonzero(both[1:] == both[:-1]))
            shares[at] = common / max(len(first) + len(second) - common, 1)
        return shares

    def _runs(self, rows: Places) -> Iterator[Hashes]:
        """Yield the distinct runs of words of some texts."""
        n_words = self.cleaning.plan.config.near_duplicates.n_words
        for partition in range(self.n_partitions):
            start, stop = self._begins[partition : partition + 2]
            its = rows[(rows >= start) & (rows < stop)]
            wanted = np.zeros(stop - start, dtype=bool)
            wanted[its - start] = True
            for part in slices(self.cleaned(partition).select(["text"]).filter(pa.array(wanted))):
                runs, begins = words_of(*texts(part)).shingles(n_words)
                yield from (np.unique(runs[begin:end]) for begin, end in pairwise(begins.tolist()))


def _documents(table: pa.Table, kept: npt.NDArray[np.bool_]) -> Iterator[pa.Table]:
    """Yield what is kept of a table, in groups of some megabytes."""
    start, size = 0, 0
    group: list[pa.RecordBatch] = []
    for batch in table.to_batches():
        chosen = batch.filter(pa.array(kept[start : start + len(batch)]))
        start += len(batch)
        group.append(chosen)
        size += pc.sum(pc.binary_length(chosen.column("text"))).as_py() or 0
        if size >= _GROUP_BYTES:
            yield _named(pa.Table.from_batches(group))
            group, size = [], 0
    if group:
        yield _named(pa.Table.from_batches(group))


def _named(table: pa.Table) -> pa.Table:
    """Return documents as they are written, with digests that can be read."""
    digests = pa.array([digest.hex() for digest in table.column("sha256").to_pylist()], pa.string())
    return table.drop_columns(["sha256"]).append_column("sha256", digests).select(DOCUMENTS.names).cast(DOCUMENTS)
