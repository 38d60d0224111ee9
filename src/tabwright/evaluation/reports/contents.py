"""Runs -> what the page holds: a summary that is drawn at once, and pieces with the samples, opened when asked for.

    summary   figures, curves, and for each run and problem the kind (outcome, type of error) of each sample
    pieces    {task_id: problem} under "problem-N", {task_id: samples} under "run-R-N"

A piece is a number of whole problems, about 200 KB of JSON. In it, equal texts of a problem are kept once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tabwright.evaluation.report import group_scores
from tabwright.evaluation.reports.comparison import Comparison
from tabwright.evaluation.reports.runs import Run
from tabwright.evaluation.reports.sweep import Sweep
from tabwright.records import Problem, Score

_PIECE_CHARACTERS = 200_000
# A program is shown whole up to here; of a longer one, half of it from each end.
_LONGEST_TEXT = 50_000
# Programs choose the types of their errors, so there may be as many as samples.
_MOST_KINDS = 60


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the page holds: plain data, ready for JSON."""

    summary: Mapping[str, Any]
    pieces: Mapping[str, Mapping[str, Any]]


def collect(
    runs: Sequence[Run], problems: Mapping[str, Problem] | None, sweep: Sweep | None, comparison: Comparison | None
) -> Contents:
    """Return the page's contents.

    Args:
        runs: at least one.
        problems: the benchmark; without it the page has completions, but neither prompts nor tests.
        sweep: shown where given.
        comparison: of the first two runs; shown where given.
    """
    groups = [group_scores(run.scores) for run in runs]
    tasks = _order(groups, problems or {})
    kinds = _kinds(runs)
    pieces: dict[str, Mapping[str, Any]] = {}
    places = []
    for number, (run, group) in enumerate(zip(runs, groups, strict=True)):
        entries = ((task, _samples(run, group.get(task, ()))) for task in tasks)
        places.append(_cut(f"run-{number}", entries, pieces))
    known = ((task, _problem(problems[task])) for task in tasks if task in problems) if problems else iter(())
    summary = {
        "tasks": tasks,
        "kinds": list(kinds),
        "problem_pieces": _cut("problem", known, pieces),
        "runs": [
            _run(run, group, tasks, kinds) | {"pieces": place}
            for run, group, place in zip(runs, groups, places, strict=True)
        ],
        "sweep": sweep and asdict(sweep),
        "comparison": comparison and asdict(comparison),
    }
    return Contents(summary=summary, pieces=pieces)


def _order(groups: Sequence[Mapping[str, Any]], problems: Mapping[str, Problem]) -> list[str]:
    """Return the problems that have a sample, in the benchmark's order."""
    sampled = dict.fromkeys(task for group in groups for task in group)
    return [*(task for task in problems if task in sampled), *(task for task in sampled if task not in problems)]


def _kind(score: Score) -> tuple[str, str]:
    return score.outcome, (score.error or "").partition(":")[0] if score.outcome == "failed" else ""


def _kinds(runs: Sequence[Run]) -> dict[tuple[str, str], int]:
    """Return a number for each kind; one without a number counts as its outcome's own, which has an empty type."""
    counts = Counter(_kind(score) for run in runs for score in run.scores)
    common = [kind for kind, _ in counts.most_common(_MOST_KINDS)]
    outcomes = [(outcome, "") for outcome, _ in counts]
    return {kind: number for number, kind in enumerate(dict.fromkeys([*common, *outcomes]))}


def _run(
    run: Run, group: Mapping[str, Sequence[Score]], tasks: Sequence[str], kinds: Mapping[tuple[str, str], int]
) -> dict[str, Any]:
    report = asdict(run.report)
    report["curve"] = [[k, e.value, e.low, e.high] for k, e in run.report.curve.items()]
    report["rankings_at"] = {name: at and list(at.values()) for name, at in run.report.rankings_at.items()}
    return {
        "label": run.label,
        "temperature": run.temperature,
        "recipe": _texts(run.recipe),
        "settings": _texts(run.header.settings),
        "hashes": {"samples": run.header.samples, "problems": run.header.problems},
        "layers": dict(run.header.layers),
        "has_samples": run.samples is not None,
        "report": report,
        "cells": [
            [kinds.get(_kind(score), kinds[score.outcome, ""]) for score in group.get(task, ())] for task in tasks
        ],
    }


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _problem(problem: Problem) -> dict[str, str]:
    """Return what stands around a completion, and the prompt where it is not part of the program."""
    before = problem.prompt if problem.preamble is None else problem.preamble
    texts = {
        "prompt": "" if problem.prompt in before else problem.prompt,
        "before": before,
        "after": problem.suffix + (f"\n{problem.setup}" if problem.setup else ""),
        "test": problem.test,
        "entry_point": problem.entry_point,
    }
    return {name: _bound(text) for name, text in texts.items()}


def _samples(run: Run, scores: Sequence[Score]) -> dict[str, Any]:
    """Return a problem's samples: each a row, whose texts are numbers into `texts`."""
    texts: dict[str, int] = {}

    def number(text: str | None) -> int | None:
        return None if text is None else texts.setdefault(_bound(text), len(texts))

    rows = []
    for score in scores:
        sample = run.samples[score.sample_index] if run.samples is not None else None
        rows.append(
            [
                score.sample_index,
                number(sample.completion if sample else None),
                number(score.error),
                number(score.output),
                score.duration_s and round(score.duration_s, 3),
                score.n_tokens,
                score.mean_logprob and round(score.mean_logprob, 4),
                sample.finish_reason if sample else None,
            ]
        )
    return {"rows": rows, "texts": list(texts)}


def _bound(text: str) -> str:
    left_out = len(text) - _LONGEST_TEXT
    if left_out <= 0:
        return text
    half = _LONGEST_TEXT // 2
    return f"{text[:half]}\n[... {left_out:,} characters left out ...]\n{text[-half:]}"


def _cut(name: str, entries: Iterable[tuple[str, Any]], pieces: dict[str, Mapping[str, Any]]) -> dict[str, str]:
    """Put entries into pieces; return for each entry's key the piece that it is in."""
    places: dict[str, str] = {}
    for number, piece in enumerate(_piles(entries)):
        pieces[f"{name}-{number}"] = piece
        places |= dict.fromkeys(piece, f"{name}-{number}")
    return places


def _piles(entries: Iterable[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    pile: dict[str, Any] = {}
    size = 0
    for key, entry in entries:
        pile[key] = entry
        size += sum(len(text) for text in entry.get("texts", entry.values())) + 50 * len(entry.get("rows", ()))
        if size > _PIECE_CHARACTERS:
            yield pile
            pile, size = {}, 0
    if pile:
        yield pile
