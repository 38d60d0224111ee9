"""Known faults of published benchmarks, from `faults.toml`: which tasks, what is wrong, how it is mended."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from tabwright.records import Problem, RecordError


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault: `old` in a problem's `field` is to be `new`; all of the field where `old` is empty.

    `field` may name several, with blanks between them.
    """

    benchmark: str
    task_id: str
    field: str
    new: str
    what: str
    proof: str
    old: str = ""


@cache
def faults() -> tuple[Fault, ...]:
    """Return every known fault."""
    text = files("tabwright.evaluation").joinpath("faults.toml").read_text(encoding="utf-8")
    return tuple(Fault(**row) for row in tomllib.loads(text)["fault"])


def faults_of(benchmark: str) -> list[Fault]:
    """Return the known faults of one benchmark."""
    return [fault for fault in faults() if fault.benchmark == benchmark]


def mended(benchmark: str, problems: Mapping[str, Problem]) -> dict[str, Problem]:
    """Return the benchmark's faulty problems, mended, by `task_id`.

    Raises:
        RecordError: a problem is not what the table says that was published.
    """
    found: dict[str, Problem] = {}
    for fault in faults_of(benchmark):
        problem = found.get(fault.task_id) or problems.get(fault.task_id)
        if problem is not None:
            found[fault.task_id] = _mend(problem, fault)
    return found


def _mend(problem: Problem, fault: Fault) -> Problem:
    change: dict[str, Any] = {}
    for field in fault.field.split():
        published = getattr(problem, field) or ""
        if fault.old not in published:
            raise RecordError(f"{fault.task_id}: {field} is not as it was published; take --as-published")
        change[field] = published.replace(fault.old, fault.new) if fault.old else fault.new
    return replace(problem, **change)
