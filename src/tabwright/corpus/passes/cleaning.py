"""One partition: files -> rules -> texts that are kept, with digests and signatures; and what each rule did to them."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabwright.corpus.batch import Rule, slices, table_of, texts, values
from tabwright.corpus.duplicates.minhash import signatures
from tabwright.corpus.passes.plan import Plan
from tabwright.corpus.passes.storage import digest_of, write_mappable, write_table, write_text
from tabwright.corpus.rules import WHOLE, make_rules
from tabwright.corpus.sources import open_source
from tabwright.records import Problem, replacing

_EXAMPLES, _EXCERPT = 3, 600
DROPPED = pa.schema(
    [(name, pa.string()) for name in ("repository", "revision", "path", "rule", "reason")] + [("bytes", pa.int64())]
)


@dataclass(kw_only=True, slots=True)
class Tally:
    """What one rule saw and did.

    Attributes:
        files, size_bytes: that it was given.
        dropped, dropped_bytes: that it dropped.
        changed: files whose text it changed.
        examples: some of the dropped, by the order of their digests: path, reason and how the text begins.
    """

    files: int = 0
    size_bytes: int = 0
    dropped: int = 0
    dropped_bytes: int = 0
    changed: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another partition's files too."""
        for name in ("files", "size_bytes", "dropped", "dropped_bytes", "changed"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.examples = sorted(self.examples + other.examples, key=lambda row: row["digest"])[:_EXAMPLES]


@dataclass(frozen=True)
class Cleaning:
    """The first of the two passes over a corpus.

    Attributes:
        plan: the build.
        problems: what must not be in the corpus.
    """

    plan: Plan
    problems: tuple[Problem, ...]

    def __call__(self, partition: int) -> None:
        """Clean one partition, unless that was done."""
        if self.is_clean(partition):
            return
        sources = ((open_source(place, self.plan.config.max_bytes), its) for place, its in self.plan.read(partition))
        table = table_of([file for source, entries in sources for file in source.read(entries)])
        kept, dropped, tallies = apply(self._rules, table)
        parts = [part.append_column("sha256", _digests(part)) for part in slices(kept)]
        signed = [signatures(*texts(part), self.plan.config.near_duplicates) for part in parts]
        self._write(partition, parts, dropped, np.concatenate(signed), tallies)

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        """The rules, made once in each process: it takes them a while to read all problems."""
        return make_rules(self.plan.config, self.problems)

    def __reduce__(self) -> tuple[type[Cleaning], tuple[Plan, tuple[Problem, ...]]]:
        return Cleaning, (self.plan, self.problems)  # rules stay where they were made

    def path(self, partition: int, suffix: str) -> Path:
        """Return where one of a partition's files is."""
        return self.plan.work / "cleaned" / f"{partition:06}.{suffix}"

    def is_clean(self, partition: int) -> bool:
        """Whether a partition was cleaned, and its files are what was written."""
        try:
            digests = json.loads(self.path(partition, "json").read_text())["digests"]
            return all(digest_of(self.path(partition, suffix)) == digest for suffix, digest in digests.items())
        except (OSError, ValueError, KeyError):
            return False

    def tallies(self, partition: int) -> dict[str, Tally]:
        """Return what each rule did to a cleaned partition."""
        marker = json.loads(self.path(partition, "json").read_text())
        return {name: Tally(**tally) for name, tally in marker["rules"].items()}

    def _write(
        self,
        partition: int,
        kept: Sequence[pa.Table],
        dropped: pa.Table,
        signed: np.ndarray,
        tallies: Mapping[str, Tally],
    ) -> None:
        write_mappable(self.path(partition, "arrow"), kept)
        write_table(self.path(partition, "dropped.parquet"), [dropped], DROPPED)
        with replacing(self.path(partition, "npy")) as temporary, temporary.open("wb") as file:
            np.save(file, signed)
        suffixes = ("arrow", "dropped.parquet", "npy")
        # Last, as it says that the others are whole.
        marker = {
            "digests": {suffix: digest_of(self.path(partition, suffix)) for suffix in suffixes},
            "rules": {name: asdict(tally) for name, tally in tallies.items()},
        }
        write_text(self.path(partition, "json"), json.dumps(marker))


def apply(rules: Mapping[str, Rule], table: pa.Table) -> tuple[pa.Table, pa.Table, dict[str, Tally]]:
    """Return what the rules leave of a table, a table of what each dropped and why, and their tallies.

    What the source could not read is counted as dropped by a rule named "source". Rules that ask another program get
    the table whole, as that is slow to start; others get slices, whose arrays stay in the processor's cache.
    """
    every: dict[str, Rule] = {"source": lambda table: table, **rules}
    tallies = {name: Tally() for name in every}
    gone: dict[str, list[pa.Table]] = {name: [] for name in every}
    for is_whole, names in itertools.groupby(every, key=WHOLE.__contains__):
        chain = list(names)
        left = []
        for part in [table] if is_whole else slices(table):
            for name in chain:
                before = part
                part, lost = _split(every[name](part) if len(part) else part)
                tallies[name].add(_tally(before, lost, part))
                gone[name].append(_dropped(name, lost))
            left.append(part)
        table = pa.concat_tables(left)
    return table.drop_columns(["dropped"]), pa.concat_tables(itertools.chain(*gone.values())), tallies


def _split(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Return what is left of a table, and what a rule dropped."""
    out = pc.not_equal(table.column("dropped"), "")
    if not pc.any(out).as_py():
        return table, table.slice(0, 0)
    return table.filter(pc.invert(out)), table.filter(out)


def _digests(table: pa.Table) -> pa.Array:
    joined, offsets = texts(table)
    data = joined.tobytes()
    digests = [hashlib.sha256(data[start:stop]).digest() for start, stop in itertools.pairwise(offsets.tolist())]
    return pa.array(digests, pa.binary(32))


def _tally(before: pa.Table, lost: pa.Table, left: pa.Table) -> Tally:
    changes_before = pc.sum(pc.list_value_length(before.column("changes"))).as_py() or 0
    changes = sum(pc.sum(pc.list_value_length(table.column("changes"))).as_py() or 0 for table in (lost, left))
    return Tally(
        files=len(before), size_bytes=_size(before), dropped=len(lost), dropped_bytes=_size(lost),
        changed=changes - changes_before, examples=_examples(lost),
    )  # fmt: skip


def _dropped(rule: str, lost: pa.Table) -> pa.Table:
    return pa.table(
        {
            **{name: lost.column(name) for name in ("repository", "revision", "path")},
            "rule": [rule] * len(lost),
            "reason": lost.column("dropped"),
            "bytes": pc.binary_length(lost.column("text")),
        },
        schema=DROPPED,
    )


def _examples(lost: pa.Table) -> list[dict[str, str]]:
    rows = []
    names = zip(*(values(lost, name) for name in ("repository", "path", "dropped")), strict=True)
    for (repository, path, reason), text in zip(names, lost.column("text"), strict=True):
        digest = hashlib.sha256(f"{repository}/{path}".encode()).hexdigest()
        rows.append({"digest": digest, "path": f"{repository}/{path}", "reason": reason, "text": text})
    chosen: Sequence[dict[str, str]] = sorted(rows, key=lambda row: row["digest"])[:_EXAMPLES]
    return [{**row, "text": row["text"].as_py()[:_EXCERPT].decode(errors="replace")} for row in chosen]  # type: ignore[attr-defined]


def _size(table: pa.Table) -> int:
    return pc.sum(pc.binary_length(table.column("text"))).as_py() or 0
