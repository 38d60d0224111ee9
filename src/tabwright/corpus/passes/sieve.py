"""Tables -> rules, one after another -> what is left of them; and what each rule did."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabwright.corpus.batch import Rule, slices, values
from tabwright.corpus.characters import Marks
from tabwright.corpus.duplicates.words import Places
from tabwright.corpus.rules import WHOLE

# Of each example more is kept than is shown: what must not be is looked for in it first.
EXAMPLES, _EXCERPT = 3, 2400
# The share of a table's bytes that may be gone and still be passed on.
_CARRIED = 0.1
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
        self.examples = sorted(self.examples + other.examples, key=lambda row: row["digest"])[:EXAMPLES]


class Sieve:
    """Rules through which tables go, a slice at a time; it counts what each of them did.

    What the source could not read is counted as dropped by a rule named "source". Rules that ask another program get
    all slices at once, as that is slow to start; others never hold more than one, whose arrays stay in the processor's
    cache.

    Args:
        rules: by name, in their order.

    Attributes:
        tallies: of each rule, whole once all tables went through.
    """

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules: dict[str, Rule] = {"source": lambda table: table, **rules}
        self._lost: dict[str, list[pa.Table]] = {name: [] for name in self._rules}
        self.tallies = {name: Tally() for name in self._rules}

    def sift(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Yield what the rules leave of some tables, in slices, any of which may be empty."""
        for is_whole, names in itertools.groupby(self._rules, key=WHOLE.__contains__):
            if is_whole:
                tables = itertools.chain.from_iterable(map(slices, self._through(list(names), _joined(tables))))
            else:
                tables = self._through(list(names), tables)
        return (table.drop_columns(["dropped"]) for table in tables)

    @property
    def dropped(self) -> pa.Table:
        """What was dropped so far and why, rule by rule."""
        return pa.concat_tables([DROPPED.empty_table(), *itertools.chain(*self._lost.values())])

    def _through(self, names: Sequence[str], tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        for left in tables:
            gone = np.zeros(len(left), dtype=bool)
            for name in names:
                left, gone = self._by(name, left, gone)
            yield left.filter(pa.array(~gone)) if gone.any() else left

    def _by(self, name: str, table: pa.Table, gone: Marks) -> tuple[pa.Table, Marks]:
        """Apply a rule to a table, some of whose rows are gone; return what it makes of it, and what is gone then."""
        after = self._rules[name](table) if len(table) else table
        lost = pc.not_equal(after.column("dropped"), "").to_numpy() & ~gone
        sizes = pc.binary_length(table.column("text")).to_numpy()
        self.tallies[name].add(_tally(table, after, sizes, gone, lost))
        if lost.any():
            self._lost[name].append(_dropped(name, after.filter(pa.array(lost))))
            gone = gone | lost
        # Each copy of what is left takes longer than most rules, which need not see a few files less.
        if sizes[gone].sum() <= _CARRIED * sizes.sum():
            return after, gone
        return after.filter(pa.array(~gone)), np.zeros(len(table) - np.count_nonzero(gone), dtype=bool)


def _joined(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    yield pa.concat_tables(tables)


def _tally(before: pa.Table, after: pa.Table, sizes: Places, gone: Marks, lost: Marks) -> Tally:
    changes = _changes(after) - _changes(before)
    return Tally(
        files=int(np.count_nonzero(~gone)), size_bytes=int(sizes[~gone].sum()), dropped=int(np.count_nonzero(lost)),
        dropped_bytes=int(pc.binary_length(after.column("text")).to_numpy()[lost].sum()),
        changed=int(changes[~gone].sum()), examples=_examples(after.filter(pa.array(lost))) if lost.any() else [],
    )  # fmt: skip


def _changes(table: pa.Table) -> Places:
    return pc.list_value_length(table.column("changes")).to_numpy()  # type: ignore[no-any-return]


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
    names = zip(*(values(lost, name) for name in ("repository", "path", "dropped")), strict=True)
    rows = ((f"{repository}/{path}", reason) for repository, path, reason in names)
    chosen = sorted((_digest(path), path, reason, at) for at, (path, reason) in enumerate(rows))[:EXAMPLES]
    texts = lost.column("text")
    return [example(path, reason, texts[at].as_py()) for _, path, reason, at in chosen]


def example(path: str, reason: str, text: bytes) -> dict[str, str]:
    """Return a dropped file as an example, which `Tally.add` orders by its digest."""
    shown = text[:_EXCERPT].decode(errors="replace")
    return {"digest": _digest(path), "path": path, "reason": reason, "text": shown}


def _digest(path: str) -> str:
    return hashlib.sha256(path.encode()).hexdigest()
