"""One partition: files -> rules -> texts that are kept, with digests and signatures; and what each rule did to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from tabwright.corpus.batch import SCHEMA, Rule, views, words
from tabwright.corpus.duplicates.minhash import signatures
from tabwright.corpus.passes.plan import Plan
from tabwright.corpus.passes.sieve import DROPPED, Sieve, Tally
from tabwright.corpus.passes.storage import digest_of, write_mappable, write_table, write_text
from tabwright.corpus.rules import Signs, make_rules
from tabwright.corpus.sources import read_tables
from tabwright.records import replacing

CLEANED = SCHEMA.remove(SCHEMA.get_field_index("dropped")).append(pa.field("sha256", pa.binary(32)))


@dataclass(frozen=True)
class Cleaning:
    """The first of the two passes over a corpus.

    Attributes:
        plan: the build.
        signs: of what must not be in the corpus.
    """

    plan: Plan
    signs: Signs

    def __call__(self, partition: int) -> None:
        """Clean one partition, unless that was done."""
        if self.is_clean(partition):
            return
        sieve = Sieve(self._rules)
        self._write(partition, sieve.sift(read_tables(self.plan.read(partition))), sieve)

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        """The rules, made once in each process."""
        return make_rules(self.plan.config, self.signs)

    def __reduce__(self) -> tuple[type[Cleaning], tuple[Plan, Signs]]:
        return Cleaning, (self.plan, self.signs)  # rules stay where they were made

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

    def _write(self, partition: int, kept: Iterator[pa.Table], sieve: Sieve) -> None:
        signed = []

        def parts() -> Iterator[pa.Table]:
            for part in kept:
                signed.append(signatures(words(part), self.plan.config.near_duplicates))
                yield part.append_column("sha256", _digests(part))

        write_mappable(self.path(partition, "arrow"), parts(), CLEANED)
        write_table(self.path(partition, "dropped.parquet"), [sieve.dropped], DROPPED, durable=False)
        with replacing(self.path(partition, "npy"), durable=False) as temporary, temporary.open("wb") as file:
            np.save(file, np.concatenate(signed))
        suffixes = ("arrow", "dropped.parquet", "npy")
        # Last, as it says that the others are whole.
        marker = {
            "digests": {suffix: digest_of(self.path(partition, suffix)) for suffix in suffixes},
            "rules": {name: asdict(tally) for name, tally in sieve.tallies.items()},
        }
        write_text(self.path(partition, "json"), json.dumps(marker), durable=False)


def _digests(table: pa.Table) -> pa.Array:
    return pa.array([hashlib.sha256(text).digest() for text in views(table)], pa.binary(32))
