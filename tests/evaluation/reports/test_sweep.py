"""The best temperature for each k: the upper hull of the runs' curves."""

from __future__ import annotations

from typing import Any

import pytest

from tabwright.evaluation import build_report
from tabwright.evaluation.reports import Run, sweep_temperatures
from tabwright.evaluation.scoring import ScoresHeader
from tabwright.records import Score


def run(label: str, passing: list[int], *, n: int = 10, **recipe: Any) -> Run:
    """A run of which problem i has `passing[i]` passing samples."""
    flags = [(f"t/{i}", j < c) for i, c in enumerate(passing) for j in range(n)]
    found = [
        Score(task_id=task, sample_index=i, outcome="passed" if passed else "failed")
        for i, (task, passed) in enumerate(flags)
    ]
    header = ScoresHeader(samples="", problems="", settings={})
    report = build_report(found, {s.task_id for s in found})
    return Run(label=label, report=report, header=header, scores=found, recipe=recipe)


def test_hotter_samples_win_where_there_are_many() -> None:
    cold, hot = run("cold", [10, 0], temperature=0.2), run("hot", [4, 4], temperature=0.8)
    sweep = sweep_temperatures([hot, cold])
    assert sweep is not None
    assert list(sweep.temperatures.items()) == [("cold", 0.2), ("hot", 0.8)]
    assert sweep.best[1].label == "cold"
    assert sweep.best[1].value == pytest.approx(0.5)
    assert (sweep.best[10].temperature, sweep.best[10].value) == (0.8, 1.0)
    for k, best in sweep.best.items():
        assert best.value == max(run.report.curve[k].value for run in (cold, hot))


def test_of_two_that_are_equal_the_colder_is_best_and_runs_with_few_samples_end_early() -> None:
    sweep = sweep_temperatures([run("hot", [3], temperature=1.0), run("cold", [1], n=4, temperature=0.0)])
    assert sweep is not None
    assert [sweep.best[k].label for k in range(1, 6)] == ["hot", "hot", "cold", "cold", "hot"]
    assert list(sweep.best) == list(range(1, 11))
    sweep = sweep_temperatures([run("hot", [5], temperature=1.0), run("cold", [2], n=4, temperature=0.0)])
    assert sweep is not None
    assert sweep.best[1].label == "cold"


def test_no_sweep_without_two_temperatures() -> None:
    assert sweep_temperatures([run("a", [1], temperature=0.2), run("b", [1], temperature=0.2)]) is None
    assert sweep_temperatures([run("a", [1], temperature=0.2), run("b", [1])]) is None
    assert sweep_temperatures([]) is None


def test_what_else_differs_is_noted() -> None:
    runs = [run("a", [1], temperature=0.2, model="m", n_=1, seed=1), run("b", [1], temperature=0.4, model="o", seed=2)]
    sweep = sweep_temperatures([*runs, run("c", [1])])
    assert sweep is not None
    assert sweep.notes == [
        "The temperature is not known of c; the sweep is without it.",
        "Not only the temperature differs between the files, but also model, n_.",
    ]
