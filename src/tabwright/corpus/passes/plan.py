"""Sources -> a plan: every file in a fixed order, in partitions small enough to hold. It is made once and then kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.passes.storage import write_table
from tabwright.corpus.sources import Entry, open_source

_PARTITION_FILES = 20_000
# The first partition is smaller, by a power of two, and each next one twice as large until they have their full size.
_SMALLER = 2
_SCHEMA = pa.schema(
    [("source", pa.int32()), *((name, pa.int64() if name == "size_bytes" else pa.string()) for name in Entry._fields)]
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a build stands on disk and what it is of.

    Attributes:
        folder: what the build writes.
        config: its recipe.
        places: the sources.
    """

    folder: Path
    config: CorpusConfig
    places: tuple[str, ...]

    @property
    def work(self) -> Path:
        """What is kept until the build has ended."""
        return self.folder / ".work"

    @property
    def identity(self) -> str:
        """Equal for builds of the same sources by the same recipe."""
        return hashlib.sha256(json.dumps([asdict(self.config), self.places], sort_keys=True).encode()).hexdigest()

    def described(self) -> dict[str, object]:
        """Return what is saved beside the corpus: how it can be made again."""
        return {"identity": self.identity, "sources": list(self.places), "corpus": asdict(self.config)}

    def partitions(self) -> int:
        """How many partitions there are, once `make` has listed them."""
        return int(pq.ParquetFile(self._path).num_row_groups)

    def largest_first(self) -> list[int]:
        """Return all partitions in an order in which processes that take one after the other end at about one time."""
        file = pq.ParquetFile(self._path)
        sizes = [pc.sum(file.read_row_group(at, ["size_bytes"]).column(0)).as_py() for at in range(self.partitions())]
        return sorted(range(len(sizes)), key=lambda at: -sizes[at])

    def make(self) -> None:
        """List every source, unless that was done before."""
        if self._path.exists():
            return
        groups = (pa.table([list(column) for column in zip(*rows, strict=True)], _SCHEMA) for rows in self._groups())
        write_table(self._path, groups, _SCHEMA)

    def read(self, partition: int) -> list[tuple[str, list[Entry]]]:
        """Return a partition's sources, and its entries in each."""
        rows = pq.ParquetFile(self._path).read_row_group(partition).to_pylist()
        return [
            (self.places[source], [Entry(*(row[name] for name in Entry._fields)) for row in its])
            for source, its in groupby(rows, key=itemgetter("source"))
        ]

    @property
    def _path(self) -> Path:
        return self.work / "plan.parquet"

    def _groups(self) -> Iterator[list[tuple[int, str, int, str, str]]]:
        """Yield the rows of each partition."""
        group: list[tuple[int, str, int, str, str]] = []
        size, most = 0, self.config.partition_bytes >> _SMALLER
        for source, place in enumerate(self.places):
            for entry in open_source(place, self.config.max_bytes).entries():
                if group and (size + entry.size_bytes > most or len(group) == _PARTITION_FILES):
                    yield group
                    group, size, most = [], 0, min(2 * most, self.config.partition_bytes)
                group.append((source, *entry))
                size += 0 if entry.problem else entry.size_bytes
        if group:
            yield group
