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

from tabwright.corpus.batch import strings
from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.passes.storage import write_table, write_text
from tabwright.corpus.sources import Entry, Source, open_source

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
    def recipe(self) -> Path:
        """What says whose folder it is."""
        return self.folder / "recipe.json"

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
        if self._states.exists():  # the last file to be written
            return
        states: list[str] = []
        columns = (zip(*rows, strict=True) for rows in self._groups(states))
        write_table(self._path, (pa.table(list(map(strings, its)), _SCHEMA) for its in columns), _SCHEMA)
        write_text(self._states, json.dumps(states))

    def read(self, partition: int) -> Iterator[tuple[Source, list[Entry]]]:
        """Yield a partition's sources, as they were when they were listed, and its entries in each.

        Raises:
            CorpusError: a source is gone, or another one by now.
        """
        states = json.loads(self._states.read_text())
        rows = pq.ParquetFile(self._path).read_row_group(partition).to_pylist()
        for source, its in groupby(rows, key=itemgetter("source")):
            entries = [Entry(*(row[name] for name in Entry._fields)) for row in its]
            yield open_source(self.places[source], self.config.max_bytes, states[source]), entries

    @property
    def _states(self) -> Path:
        return self.work / "sources.json"

    @property
    def _path(self) -> Path:
        return self.work / "plan.parquet"

    def _groups(self, states: list[str]) -> Iterator[list[tuple[int, str, int, str, str]]]:
        """Yield the rows of each partition, and note each source's state."""
        group: list[tuple[int, str, int, str, str]] = []
        size, most = 0, self.config.partition_bytes >> _SMALLER
        for number, place in enumerate(self.places):
            source = open_source(place, self.config.max_bytes)
            states.append(source.state)
            for entry in source.entries():
                own = 0 if entry.problem else entry.size_bytes
                if group and (size + own > most or len(group) == _PARTITION_FILES):
                    yield group
                    group, size, most = [], 0, min(2 * most, self.config.partition_bytes)
                group.append((number, *entry))
                size += own
        if group:
            yield group
