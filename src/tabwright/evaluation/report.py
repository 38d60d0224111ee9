"""Scores and problems -> the figures of a report, as plain data. Printing and drawing are left to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tabwright.evaluation.pass_at_k import Estimate, estimate_each, pass_at_each_k
from tabwright.evaluation.rankings import RANKINGS, rank, rank_at
from tabwright.records import Score

KS = (1, 10, 100)
# So many points make a smooth line; Chen et al. 2021 draw 200 samples of each problem.
_POINTS = 200

__all__ = ["KS", "Estimate", "Report", "build_report", "group_scores"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a scored file of samples amounts to.

    Attributes:
        problems: problems of the benchmark.
        sampled: problems that have a sample; every figure is over these alone.
        samples: samples in all; `fewest` and `most`: for one problem.
        pass_at: pass@k for each k of 1, 10, 100 that every sampled problem has the samples for.
        curve: pass@k for each k from 1 to the fewest samples; of more than 200 such k, 200.
        rankings: pass@1 when one sample is chosen by each ranking; None without log-probabilities.
        rankings_at: the same when one is chosen of k, for each k of `curve`.
        outcomes: how many samples came to each outcome.
        errors: the commonest errors of failed samples, by the error's type.
        notes: sentences that the reader of the figures must know.
    """

    problems: int
    sampled: int
    samples: int
    fewest: int
    most: int
    pass_at: Mapping[int, Estimate]
    curve: Mapping[int, Estimate]
    rankings: Mapping[str, float | None]
    rankings_at: Mapping[str, Mapping[int, float] | None]
    outcomes: Mapping[str, int]
    errors: Mapping[str, int]
    notes: Sequence[str]


def build_report(scores: Sequence[Score], problems: Collection[str]) -> Report:
    """Return the figures of `scores`, of a benchmark with these problems.

    Raises:
        ValueError: there is no score.
    """
    if not scores:
        raise ValueError("no scores to report; score some samples first")
    groups = group_scores(scores)
    sizes = [len(group) for group in groups.values()]
    curve = _curve(list(groups.values()), _points(min(sizes)))
    chosen = [rank(group) for group in groups.values()]
    errors = Counter((s.error or "").partition(":")[0] for s in scores if s.outcome == "failed")
    return Report(
        problems=len(problems),
        sampled=len(groups),
        samples=len(scores),
        fewest=min(sizes),
        most=max(sizes),
        pass_at={k: curve[k] for k in KS if k in curve},
        curve=curve,
        rankings={name: _mean([row[name] for row in chosen]) for name in RANKINGS},
        rankings_at=_rankings_at(list(groups.values()), list(curve)),
        outcomes=dict(Counter(score.outcome for score in scores).most_common()),
        errors=dict(errors.most_common(10)),
        notes=_notes(len(problems), len(groups), sizes),
    )


def group_scores(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """Return the scores of each problem by its `task_id`, in the order of the scores."""
    groups: dict[str, list[Score]] = {}
    for score in scores:
        groups.setdefault(score.task_id, []).append(score)
    return groups


def _points(fewest: int) -> list[int]:
    """Return the k to work out: all, or so many that stand at equal distances on a logarithmic axis."""
    if fewest <= _POINTS:
        return list(range(1, fewest + 1))
    spread = (round(fewest ** (i / (_POINTS - 1))) for i in range(_POINTS))
    return sorted({*spread, fewest, *KS})


def _curve(groups: Sequence[Sequence[Score]], ks: Sequence[int]) -> dict[int, Estimate]:
    import numpy as np

    wanted = np.asarray(ks) - 1
    rows = [pass_at_each_k(len(g), sum(s.passed for s in g), ks[-1])[wanted] for g in groups]
    return dict(zip(ks, estimate_each(np.stack(rows)), strict=True))


def _rankings_at(groups: Sequence[Sequence[Score]], ks: Sequence[int]) -> dict[str, dict[int, float] | None]:
    """Return the mean over problems of each ranking's value at each k."""
    import numpy as np

    rows = [rank_at(group, ks) for group in groups]
    means: dict[str, dict[int, float] | None] = {}
    for name in RANKINGS:
        known = [values for row in rows if (values := row[name]) is not None]
        complete = len(known) == len(rows)
        means[name] = dict(zip(ks, np.mean(known, axis=0).tolist(), strict=True)) if complete else None
    return means


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _notes(problems: int, sampled: int, sizes: Sequence[int]) -> list[str]:
    notes = []
    if sampled < problems:
        notes.append(f"Only {sampled} of {problems} problems have samples; the figures are over those {sampled}.")
    if min(sizes) != max(sizes):
        notes.append(f"Problems have between {min(sizes)} and {max(sizes)} samples; k goes up to the fewest.")
    return notes
