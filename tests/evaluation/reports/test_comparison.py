"""McNemar's test against values worked out by hand, and what flips between two runs."""

from __future__ import annotations

from math import comb

import pytest

from tabwright.evaluation import build_report
from tabwright.evaluation.reports import Run, compare_runs, compare_scores, mcnemar
from tabwright.evaluation.scoring import ScoresHeader
from tabwright.records import RecordError, Score


def scores(**outcomes: str) -> list[Score]:
    """`a="pf"`: the first sample of problem a passed, its second failed."""
    pairs = [(task, letter) for task, letters in outcomes.items() for letter in letters]
    return [
        Score(task_id=task, sample_index=i, outcome="passed" if letter == "p" else "failed")
        for i, (task, letter) in enumerate(pairs)
    ]


def run(label: str, found: list[Score], *, problems: str = "same", timeout_s: float = 3.0) -> Run:
    header = ScoresHeader(samples="", problems=problems, settings={"timeout_s": timeout_s})
    return Run(label=label, report=build_report(found, {s.task_id for s in found}), header=header, scores=found)


@pytest.mark.parametrize(
    ("gained", "lost", "expected"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 5, 1.0),
        (9, 1, 2 * (1 + 10) / 1024),
        (6, 0, 2 / 64),
        (27, 9, 2 * sum(comb(36, i) for i in range(10)) / 2**36),
    ],
)
def test_mcnemar_is_the_binomial_test_on_both_sides(gained: int, lost: int, expected: float) -> None:
    assert mcnemar(gained, lost) == mcnemar(lost, gained) == pytest.approx(expected, rel=1e-12)


def test_mcnemar_of_thousands_of_flips() -> None:
    assert mcnemar(3000, 3000) == 1.0
    assert mcnemar(5000, 0) == 0.0
    assert mcnemar(2100, 1900) == pytest.approx(0.00166, abs=0.0001)  # the normal approximation gives 0.0017


def test_problems_that_flip_are_named_in_their_natural_order() -> None:
    a = scores(**{"t/10": "f", "t/9": "f", "t/2": "p", "t/1": "p", "t/0": "p", "t/3": "f"})
    b = scores(**{"t/0": "p", "t/10": "p", "t/9": "p", "t/2": "f", "t/1": "p", "t/3": "f"})
    compared = compare_scores(a, b)
    assert (compared.problems, compared.both, compared.neither) == (6, 2, 1)
    assert compared.gained == ["t/9", "t/10"]
    assert compared.lost == ["t/2"]
    assert compared.p_value == 1.0
    assert list(compared.pass_at_1) == pytest.approx([3 / 6, 4 / 6])
    assert compared.difference.value == pytest.approx(1 / 6)


def test_flips_are_of_first_samples_and_the_difference_of_all() -> None:
    compared = compare_runs(run("one", scores(a="pfff", b="fp")), run("two", scores(a="fppp", b="fp")))
    assert (compared.gained, compared.lost) == ([], ["a"])
    assert compared.difference.value == pytest.approx((0.75 - 0.25) / 2)
    assert "first sample" in compared.notes[0]


def test_the_interval_is_of_paired_differences() -> None:
    """Where every problem gains as much, resampling problems changes nothing, however much they differ themselves."""
    a = scores(**{f"t/{i}": "pf" if i % 2 else "ff" for i in range(40)})
    b = scores(**{f"t/{i}": "pp" if i % 2 else "pf" for i in range(40)})
    difference = compare_scores(a, b).difference
    assert (difference.low, difference.value, difference.high) == (0.5, 0.5, 0.5)


def test_the_interval_comes_from_the_seed_and_covers_what_it_should() -> None:
    a = scores(**{f"t/{i}": "p" if i < 72 else "f" for i in range(164)})
    b = scores(**{f"t/{i}": "p" if 9 <= i < 99 else "f" for i in range(164)})
    first, again = compare_scores(a, b), compare_scores(a, b)
    assert first == again
    assert (len(first.gained), len(first.lost)) == (27, 9)
    # The normal approximation: the variance of a difference of -1, 0 or 1.
    mean, square = 18 / 164, 36 / 164
    half = 1.96 * ((square - mean**2) / 164) ** 0.5
    assert [first.difference.low, first.difference.high] == pytest.approx([mean - half, mean + half], abs=0.01)


def test_different_benchmarks_are_not_compared() -> None:
    with pytest.raises(RecordError, match="one and two: scored against different benchmarks"):
        compare_runs(run("one", scores(a="p")), run("two", scores(a="p"), problems="other"))


@pytest.mark.parametrize(("a", "b", "lacks"), [("pf", "p", "two"), ("p", "pf", "one")])
def test_a_problem_in_one_run_alone_is_named(a: str, b: str, lacks: str) -> None:
    one, two = (run(name, scores(**dict(zip("ab", s, strict=False)))) for name, s in (("one", a), ("two", b)))
    with pytest.raises(RecordError, match=f"{lacks}: has no score of 'b', which .* has; sample and score these too"):
        compare_runs(one, two)


def test_other_settings_are_noted() -> None:
    compared = compare_runs(run("one", scores(a="p")), run("two", scores(a="p"), timeout_s=9.0))
    assert compared.notes == ["The runs were scored with different settings: timeout_s."]
