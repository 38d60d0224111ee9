"""A little of the fuzzing that `fuzz.py` does at length."""

from __future__ import annotations

from pathlib import Path

from tests.adversarial.fuzz import run

from tabwright.evaluation import load_benchmark


def test_random_programs_do_the_scorer_no_harm(benchmarks: Path) -> None:
    problems = list(load_benchmark("humaneval", directory=benchmarks).values())
    outcomes = run(problems, 150, 150, seed=1, timeout_s=0.5)
    assert outcomes["failed"] > 150
    assert outcomes["passed"] > 0
