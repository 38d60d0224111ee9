"""Scores and problems -> the figures of a report, as plain data. Printing is left to the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tabwright.evaluation.pass_at_k import Estimate, estimate, pass_at_k
from tabwright.evaluation.rankings import RANKINGS, rank
from tabwright.records import Problem, Score

KS = (1, 10, 100)

__all__ = ["KS", "Estimate", "Report", "build_report"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a scored file of samples amounts to.

    Attributes:
        problems: problems of the benchmark.
        sampled: problems that have a sample; every figure is over these alone.
        samples: samples in all; `fewest` and `most`: for one problem.
        pass_at: pass@k for each k of 1, 10, 100 that every sampled problem has the samples for.
        rankings: pass@1 when one sample is chosen by each ranking; None without log-probabilities.
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
    rankings: Mapping[str, float | None]
    outcomes: Mapping[str, int]
    errors: Mapping[str, int]
    notes: Sequence[str]


def build_report(scores: Sequence[Score], problems: Mapping[str, Problem]) -> Report:
    """Return the figures of `scores`.

    Raises:
        ValueError: there is no score.
    """
    if not scores:
        raise ValueError("no scores to report; score some samples first")
    groups: dict[str, list[Score]] = {}
    for score in scores:
        groups.setdefault(score.task_id, []).append(score)
    sizes = [len(group) for group in groups.values()]
    chosen = [rank(group) for group in groups.values()]
    errors = Counter((s.error or "").partition(":")[0] for s in scores if s.outcome == "failed")
    return Report(
        problems=len(problems),
        sampled=len(groups),
        samples=len(scores),
        fewest=min(sizes),
        most=max(sizes),
        pass_at={k: _pass_at(k, groups) for k in KS if k <= min(sizes)},
        rankings={name: _mean([row[name] for row in chosen]) for name in RANKINGS},
        outcomes=dict(Counter(score.outcome for score in scores).most_common()),
        errors=dict(errors.most_common(10)),
        notes=_notes(len(problems), len(groups), sizes),
    )


def _pass_at(k: int, groups: Mapping[str, Sequence[Score]]) -> Estimate:
    return estimate([pass_at_k(len(g), sum(s.passed for s in g), k) for g in groups.values()])


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
