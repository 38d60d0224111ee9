"""The figures of a report, and the rankings, on scores small enough to work out by hand."""

from __future__ import annotations

import itertools

import pytest

from tabwright.evaluation import build_report, rank
from tabwright.evaluation.rankings import rank_at
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


def test_pass_at_every_k_up_to_the_fewest_samples() -> None:
    scores = [score("a", "passed"), *[score("a", "failed")] * 3]
    scores += [score("b", "failed")] * 5
    report = build_report(scores, PROBLEMS)
    assert [k for k, _ in report.curve.items()] == [1, 2, 3, 4]
    assert [estimate.value for estimate in report.curve.values()] == pytest.approx([1 / 8, 2 / 8, 3 / 8, 4 / 8])
    assert report.pass_at == {1: report.curve[1]}
    assert all(e.low <= e.value <= e.high for e in report.curve.values())


def test_many_samples_give_a_curve_of_few_points() -> None:
    report = build_report([score("a", "passed")] * 10 + [score("a", "failed")] * 4990, PROBLEMS)
    ks = list(report.curve)
    assert {1, 10, 100, 5000} <= set(ks)
    assert 100 < len(ks) <= 203
    assert report.curve[5000].value == 1.0


def test_choosing_one_of_k_is_the_mean_over_all_choices_of_k() -> None:
    scores = [score("a", "passed", -0.5, 10), score("a", "failed", -0.1, 100)]
    scores += [score("a", "passed", -0.5, 2), score("a", "timeout", -1.0, 1)]
    for k in (1, 2, 3, 4):
        choices = [rank(choice) for choice in itertools.combinations(scores, k)]
        for name, values in rank_at(scores, [k]).items():
            expected = [choice[name] for choice in choices]
            assert values == pytest.approx([sum(v or 0.0 for v in expected) / len(expected)]), (name, k)
    report = build_report(scores, PROBLEMS)
    assert report.rankings_at["oracle"] == pytest.approx({k: e.value for k, e in report.curve.items()})
    assert build_report([score("a", "passed")], PROBLEMS).rankings_at["mean_logprob"] is None
