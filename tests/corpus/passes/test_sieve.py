"""Rules one after another: what one of them drops, no later one sees, and every file is counted once."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from tabwright.corpus.batch import Rule, SourceFile, drop, put, table_of, values, views
from tabwright.corpus.passes.sieve import Sieve


def dropping(unwanted: Callable[[bytes], bool]) -> Rule:
    """Return a rule that drops some texts."""

    def rule(table: pa.Table) -> pa.Table:
        marks = np.array([unwanted(bytes(text)) for text in views(table)], dtype=bool)
        return drop(table, marks, ["unwanted"] * int(marks.sum()))

    return rule


def changing(table: pa.Table) -> pa.Table:
    """Mark each file as changed."""
    return put(table, "changes", pa.array([["changed"]] * len(table), pa.list_(pa.string())))


RULES: dict[str, Rule] = {
    "twos": dropping(lambda text: len(text) % 2 == 0),
    "changed": changing,
    "threes": dropping(lambda text: len(text) % 3 == 0),
    "none": lambda table: table,
    "fives": dropping(lambda text: len(text) % 5 == 0),
}


def tables(sizes: list[int], n_tables: int) -> list[pa.Table]:
    """Return files of some sizes, in so many tables."""
    files = [SourceFile(repository="r", path=f"{at}.py", text=b"x" * size) for at, size in enumerate(sizes)]
    return [table_of(files[at::n_tables]) for at in range(n_tables)]


@pytest.mark.parametrize("share_of_odd", [0.2, 0.98])  # whether what is left is copied after a rule, or later
def test_each_file_is_counted_once_by_the_first_rule_that_drops_it(share_of_odd: float) -> None:
    drawn = random.Random(1)
    sizes = [2 * drawn.randrange(1, 500) + (drawn.random() < share_of_odd) for _ in range(400)]
    sieve = Sieve(RULES)
    kept = pa.concat_tables(sieve.sift(tables(sizes, 3)))
    left = sizes
    for name, factor in (("twos", 2), ("threes", 3), ("fives", 5)):
        tally = sieve.tallies[name]
        gone = [size for size in left if size % factor == 0]
        assert (tally.files, tally.size_bytes) == (len(left), sum(left))
        assert (tally.dropped, tally.dropped_bytes) == (len(gone), sum(gone))
        left = [size for size in left if size % factor]
        assert all(int(example["path"][2:-3]) in range(400) for example in tally.examples)
    assert sieve.tallies["changed"].changed == len([size for size in sizes if size % 2])
    assert sorted(map(len, views(kept))) == sorted(left)
    assert len(set(values(sieve.dropped, "path"))) == len(sieve.dropped) == len(sizes) - len(left)


def test_a_table_of_which_nothing_is_left_stays_a_table() -> None:
    sieve = Sieve(RULES)
    kept = list(sieve.sift(tables([2, 4, 6], 1)))
    assert [len(table) for table in kept] == [0]
    assert sieve.tallies["fives"].files == 0
