"""Two scored runs of one benchmark -> which problems flipped, and whether the difference may be chance."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import comb

from tabwright.evaluation.pass_at_k import Estimate, estimate
from tabwright.evaluation.report import group_scores
from tabwright.evaluation.reports.runs import Run
from tabwright.records import RecordError, Score


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How run B differs from run A, over the same problems.

    A problem has flipped where the first sample of one run passes and that of the other does not; with one greedy
    sample of each problem that is all there is. `difference` uses every sample.

    Attributes:
        problems: problems that both runs have samples of.
        both, neither: problems whose first samples both passed, or both did not.
        gained: `task_id`s that B's first sample passes and A's does not; `lost`: the other way.
        p_value: of McNemar's exact test on `gained` and `lost`, two-sided.
        pass_at_1: mean share of samples that pass, of A and of B.
        difference: B's pass@1 less A's, in -1..1, with its paired bootstrap interval over problems.
        notes: sentences that the reader of the figures must know.
    """

    problems: int
    both: int
    neither: int
    gained: Sequence[str]
    lost: Sequence[str]
    p_value: float
    pass_at_1: tuple[float, float]
    difference: Estimate
    notes: Sequence[str] = ()


def compare_runs(a: Run, b: Run) -> Comparison:
    """Return how run `b` differs from run `a`.

    Raises:
        RecordError: they are of different benchmarks, or a problem has scores in one alone.
    """
    if a.header.problems != b.header.problems:
        raise RecordError(
            f"{a.label} and {b.label}: scored against different benchmarks, or versions of one; score both against one"
        )
    compared = compare_scores(a.scores, b.scores, (a.label, b.label))
    changed = [key for key, value in a.header.settings.items() if b.header.settings.get(key) != value]
    notes = [f"The runs were scored with different settings: {', '.join(changed)}."] if changed else []
    if max(a.report.most, b.report.most) > 1:
        notes.append("Flips and McNemar's test are of each problem's first sample; the difference is of all samples.")
    return replace(compared, notes=notes)


def compare_scores(a: Sequence[Score], b: Sequence[Score], names: tuple[str, str] = ("A", "B")) -> Comparison:
    """Return how the scores `b` differ from the scores `a`.

    Args:
        a: scores of one run, in the order of its samples; `b`: of the other.
        b: scores of the other run.
        names: what messages call the two.

    Raises:
        RecordError: a problem has scores in one run alone, or there are none.
    """
    groups = group_scores(a), group_scores(b)
    _check_same_problems(groups, names)
    first = [{task: group[0].passed for task, group in run.items()} for run in groups]
    shares = [[sum(score.passed for score in run[task]) / len(run[task]) for task in groups[0]] for run in groups]
    tasks = sorted(groups[0], key=_natural)
    gained = [task for task in tasks if first[1][task] and not first[0][task]]
    lost = [task for task in tasks if first[0][task] and not first[1][task]]
    both = sum(first[0].values()) - len(lost)
    n = len(groups[0])
    return Comparison(
        problems=n,
        both=both,
        neither=n - both - len(gained) - len(lost),
        gained=gained,
        lost=lost,
        p_value=mcnemar(len(gained), len(lost)),
        pass_at_1=(sum(shares[0]) / n, sum(shares[1]) / n),
        difference=estimate([after - before for before, after in zip(*shares, strict=True)]),
    )


def mcnemar(gained: int, lost: int) -> float:
    """Return the two-sided p-value of McNemar's test, in its exact form.

    Were the runs equally good, each problem that flipped would be as likely to have flipped either way; so the smaller
    of the two counts is a binomial variable of chance 1/2.

    Differs: McNemar compares with the chi-squared distribution, which is no good approximation for a few flips.

    Args:
        gained: problems that flipped one way, at least 0.
        lost: problems that flipped the other way, at least 0.

    References:
        McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages".
    """
    n = gained + lost
    ways: int = sum(comb(n, i) for i in range(min(gained, lost) + 1))
    return float(min(1.0, 2 * ways / 2**n))


def _natural(task: str) -> list[tuple[int, str]]:
    """A key that puts HumanEval/9 before HumanEval/10."""
    return [(len(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", task)]


def _check_same_problems(
    groups: tuple[Mapping[str, Sequence[Score]], Mapping[str, Sequence[Score]]], names: tuple[str, str]
) -> None:
    for (here, there), (in_here, in_there) in zip((groups, groups[::-1]), (names, names[::-1]), strict=True):
        missing = [task for task in here if task not in there]
        if missing:
            others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise RecordError(
                f"{in_there}: has no score of {missing[0]!r}{others}, which {in_here} has; sample and score these too"
            )
    if not groups[0]:
        raise RecordError(f"{names[0]}: no scores in it; go on with `tabwright evaluate`")
