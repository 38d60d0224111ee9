"""A file of samples and the scores beside it -> a run: what a report shows of them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tabwright.evaluation.report import Report, build_report
from tabwright.evaluation.scoring import ScoresHeader, read_scores
from tabwright.records import Problem, RecordError, Sample, Score, read_records, read_rows

_SCORES = ".scores.jsonl"
_SAMPLES = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One scored file of samples.

    Attributes:
        label: what the reader calls it, as `label_files` does.
        report: its figures.
        header: how it was scored.
        scores: in the order of the samples.
        samples: the file's samples, at `Score.sample_index`; None where the file is not here.
        recipe: how it was sampled, as its `.recipe.json` says; empty where there is none.
    """

    label: str
    report: Report
    header: ScoresHeader
    scores: Sequence[Score]
    samples: Sequence[Sample] | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)

    @property
    def temperature(self) -> float | None:
        """The temperature of the samples where their recipe has it."""
        return self.recipe.get("temperature")


def stem(path: Path) -> str:
    """Return a file's name without the endings of samples, scores and gzip."""
    return path.name.removesuffix(".gz").removesuffix(_SCORES).removesuffix(".jsonl")


def scores_beside(samples: Path) -> Path:
    """Return where the scores of a samples' file go."""
    return samples.parent / (stem(samples) + _SCORES)


def read_recipe(samples: Path) -> dict[str, Any]:
    """Return the settings that a samples' file was made with, empty where nothing beside it says.

    Raises:
        RecordError: the recipe is no JSON object, or its temperature is no number in 0..100, or its benchmark no text.
    """
    path = samples.parent / f"{samples.name}.recipe.json"
    try:
        recipe = json.loads(path.read_bytes(), parse_float=_finite, parse_constant=_finite)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        recipe = None
    if not isinstance(recipe, dict):
        raise RecordError(f"{path}: not a recipe; mend or remove it")
    temperature, benchmark = recipe.get("temperature"), recipe.get("benchmark")
    number = isinstance(temperature, int | float) and not isinstance(temperature, bool)
    if temperature is not None and not (number and 0 <= temperature <= 100):
        raise RecordError(f"{path}: temperature must be between 0 and 100, got {temperature!r:.60}; mend or remove it")
    if benchmark is not None and not isinstance(benchmark, str):
        raise RecordError(f"{path}: benchmark must be a name, got {benchmark!r:.60}; mend or remove it")
    return recipe


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(text)
    return value


def label_files(paths: Sequence[Path]) -> list[str]:
    """Return a name for each file: without folder and endings where no two are alike then."""
    names = [stem(path) for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def read_run(path: Path, label: str, problems: Mapping[str, Problem] | None = None) -> Run:
    """Return a run that was scored before.

    Args:
        path: the file of scores, or the file of samples that has its scores beside it.
        label: what the reader calls it.
        problems: the benchmark, for notes on problems that have no sample; without it nothing is said of them.

    Raises:
        RecordError: a file is missing or wrong, or samples have no score yet.
    """
    is_scores = "scores_of" in next(read_rows(path), {})
    scores_path = path if is_scores else scores_beside(path)
    if not scores_path.exists():
        raise RecordError(f"{path}: has no scores beside it; make them with `tabwright evaluate {path}`")
    header, scores = read_scores(scores_path)
    samples_path = _samples_of(scores_path, header) if is_scores else path
    if not is_scores and not _is_scored(path, header):
        raise RecordError(f"{scores_path}: holds scores of other samples; score {path} afresh (--fresh)")
    samples = None if samples_path is None else list(read_records(samples_path, Sample))
    _check_complete(scores_path, header, scores, samples)
    return Run(
        label=label,
        report=build_report(scores, problems or {score.task_id for score in scores}),
        header=header,
        scores=scores,
        samples=samples,
        recipe={} if samples_path is None else read_recipe(samples_path),
    )


def _check_complete(
    path: Path, header: ScoresHeader, scores: Sequence[Score], samples: Sequence[Sample] | None
) -> None:
    if len(scores) < max(1, header.n_samples, len(samples or ())):
        raise RecordError(f"{path}: not every sample has a score yet; go on with `tabwright evaluate`")
    if samples is not None and [sample.task_id for sample in samples] != [score.task_id for score in scores]:
        raise RecordError(f"{path}: its scores are not those of the samples; score them afresh (--fresh)")


def _samples_of(scores: Path, header: ScoresHeader) -> Path | None:
    beside = [scores.parent / (stem(scores) + ending) for ending in _SAMPLES]
    return next((path for path in beside if path != scores and path.is_file() and _is_scored(path, header)), None)


def _is_scored(samples: Path, header: ScoresHeader) -> bool:
    try:
        return hashlib.sha256(samples.read_bytes()).hexdigest() == header.samples
    except OSError as error:
        raise RecordError(f"{samples}: cannot be read: {error.strerror}") from None
