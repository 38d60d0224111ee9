"""The figures of a report, and the rankings, on scores small enough to work out by hand."""

from __future__ import annotations

import pytest

from tabwright.evaluation import build_report, rank
from tabwright.records import Outcome, Problem, Score

PROBLEMS = {name: Problem(task_id=name, prompt="", entry_point="f", test="") for name in ("a", "b", "c")}


def score(task: str, outcome: Outcome, mean: float | None = None, n: int | None = None, error: str = "") -> Score:
    return Score(task_id=task, sample_index=0, outcome=outcome, mean_logprob=mean, n_tokens=n, error=error or None)


def test_rankings_choose_as_they_say() -> None:
    scores = [score("a", "passed", -0.5, 10), score("a", "failed", -0.1, 100), score("a", "timeout", -1.0, 1)]
    assert rank(scores) == {
        "random": pytest.approx(1 / 3),
        "mean_logprob": 0.0,  # -0.1 is the highest mean, and failed
        "sum_logprob": 0.0,  # sums are -5, -10, -1: the highest timed out
        "oracle": 1.0,
    }
    assert rank([score("a", "passed", -0.1, 5), score("a", "failed", -0.2, 1)])["mean_logprob"] == 1.0
    assert rank([score("a", "passed", -0.1, 5), score("a", "failed", -0.2, 1)])["sum_logprob"] == 0.0


def test_ties_and_missing_log_probabilities() -> None:
    assert rank([score("a", "passed", -1.0, 2), score("a", "failed", -1.0, 2)])["mean_logprob"] == 0.5
    empty = rank([score("a", "failed", None, 0), score("a", "passed", -9.0, 2)])
    assert (empty["mean_logprob"], empty["sum_logprob"]) == (1.0, 1.0)
    without = rank([score("a", "passed", -1.0, 2), score("a", "failed")])
    assert (without["mean_logprob"], without["sum_logprob"]) == (None, None)


def test_report_of_a_partly_sampled_benchmark() -> None:
    scores = [score("a", "passed") for _ in range(10)]
    scores += [score("b", "failed", error="TypeError: x")] * 10 + [score("b", "passed")] * 2
    report = build_report(scores, PROBLEMS)
    assert (report.problems, report.sampled, report.samples) == (3, 2, 22)
    assert set(report.pass_at) == {1, 10}
    assert report.pass_at[1].value == pytest.approx((1 + 2 / 12) / 2)
    assert report.outcomes == {"passed": 12, "failed": 10}
    assert report.errors == {"TypeError": 10}
    assert report.notes[0].startswith("Only 2 of 3 problems have samples")
    assert report.notes[1].startswith("Problems have between 10 and 12 samples")


def test_no_scores_is_an_error() -> None:
    with pytest.raises(ValueError, match="no scores"):
        build_report([], PROBLEMS)
