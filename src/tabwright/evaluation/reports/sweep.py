"""Runs at several temperatures -> the best temperature for each k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabwright.evaluation.reports.runs import Run

# Settings that may differ between the files of a sweep: what is swept, and how the draws were made.
_MAY_DIFFER = {"temperature", "seed", "n"}


@dataclass(frozen=True, kw_only=True)
class Best:
    """The run with the highest pass@k at one k."""

    label: str
    temperature: float
    value: float


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a temperature sweep shows.

    Attributes:
        temperatures: of each run that has one, by its label, from the coldest to the hottest.
        best: for each k, the best of the runs that have so many samples; the colder of two that are equal. The values
            are the upper hull of the runs' curves.
        notes: sentences that the reader must know.

    References:
        Chen et al. 2021, "Evaluating Large Language Models Trained on Code", section 3.3 and figure 5.
    """

    temperatures: Mapping[str, float]
    best: Mapping[int, Best]
    notes: Sequence[str]


def sweep_temperatures(runs: Sequence[Run]) -> Sweep | None:
    """Return the sweep that `runs` are, None where fewer than two temperatures are known."""
    known = [(run.temperature, run) for run in runs if run.temperature is not None]
    if len({temperature for temperature, _ in known}) < 2:
        return None
    known.sort(key=lambda pair: pair[0])
    ks = sorted({k for _, run in known for k in run.report.curve})
    return Sweep(
        temperatures={run.label: temperature for temperature, run in known},
        best={k: _best(known, k) for k in ks},
        notes=_notes(runs),
    )


def _best(known: Sequence[tuple[float, Run]], k: int) -> Best:
    having = [(temperature, run) for temperature, run in known if k in run.report.curve]
    temperature, run = max(having, key=lambda pair: pair[1].report.curve[k].value)
    return Best(label=run.label, temperature=temperature, value=run.report.curve[k].value)


def _notes(runs: Sequence[Run]) -> list[str]:
    notes = []
    unknown = [run.label for run in runs if run.temperature is None]
    if unknown:
        notes.append(f"The temperature is not known of {', '.join(unknown)}; the sweep is without it.")
    recipes: list[Mapping[str, Any]] = [run.recipe for run in runs if run.temperature is not None]
    keys = dict.fromkeys(key for recipe in recipes for key in recipe)
    differ = [key for key in keys if key not in _MAY_DIFFER and any(r.get(key) != recipes[0].get(key) for r in recipes)]
    if differ:
        notes.append(f"Not only the temperature differs between the files, but also {', '.join(differ)}.")
    return notes
