"""The name of a benchmark, or a JSON Lines file of the same fields -> its problems."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tabwright.evaluation.faults import mended
from tabwright.evaluation.layouts import LAYOUTS
from tabwright.records import Problem, RecordError, is_cut_short, read_rows

ENVIRONMENT_VARIABLE = "TABWRIGHT_BENCHMARKS"


@cache
def benchmarks() -> dict[str, dict[str, Any]]:
    """Return the rows of `benchmarks.toml` by the benchmark's name."""
    return tomllib.loads(files("tabwright.evaluation").joinpath("benchmarks.toml").read_text(encoding="utf-8"))


def load_benchmark(
    name: str,
    *,
    directory: Path | None = None,
    cache: Path | None = None,
    fetch: Callable[[str], Path] | None = None,
    as_published: bool = False,
) -> dict[str, Problem]:
    """Return the problems of a benchmark by `task_id`, in the file's order.

    Args:
        name: a key of `benchmarks()`, or the path of a file that ends in `.jsonl` or `.jsonl.gz`.
        directory: where the user keeps benchmark files; else the environment's `TABWRIGHT_BENCHMARKS`.
        cache: a folder that is looked into next.
        fetch: brings the file of the given name from its public place, and returns where it put it.
        as_published: leave the data's known faults (`faults.toml`) as they are.

    Raises:
        RecordError: the benchmark is unknown, cannot be found, or a row of it is wrong.
    """
    is_file = name.endswith((".jsonl", ".jsonl.gz"))
    path = Path(name) if is_file else _find(name, directory, cache, fetch)
    layout = LAYOUTS["problem" if is_file else benchmarks()[name].get("layout", "problem")]
    problems: dict[str, Problem] = {}
    try:
        for problem in layout(read_rows(path)):
            if problem.task_id in problems:
                raise RecordError(f"task_id {problem.task_id!r} occurs twice; remove one")
            problems[problem.task_id] = problem
        if is_cut_short(path):
            raise RecordError("its last line is cut short; bring the file again, or complete that line")
    except RecordError as error:
        raise RecordError(str(error) if str(path) in str(error) else f"{path}, {error}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path}: not laid out as {name} is ({type(error).__name__}: {error})") from None
    if not problems:
        raise RecordError(f"{path}: no problems in it; give a file with one JSON object per line")
    return problems if as_published else {**problems, **mended(name, problems)}


def _find(name: str, directory: Path | None, cache: Path | None, fetch: Callable[[str], Path] | None) -> Path:
    if name not in benchmarks():
        known = ", ".join(sorted(benchmarks()))
        if name and Path(name).exists():
            raise RecordError(f"{name}: problems are read from files that end in .jsonl or .jsonl.gz; name such a one")
        raise RecordError(f"benchmark {name!r} is unknown; known are {known}, or give a .jsonl file")
    file: str = benchmarks()[name]["file"]
    named = directory or (Path(os.environ[ENVIRONMENT_VARIABLE]) if os.environ.get(ENVIRONMENT_VARIABLE) else None)
    if named is not None:
        if (found := _in_folder(named, file)) is not None:
            return found
        raise RecordError(f"{named / file}: no such file; put it there, or name another folder")
    if cache is not None and (found := _in_folder(cache, file)) is not None:
        return found
    if fetch is not None and benchmarks()[name].keys() & {"url", "wheel"}:
        return fetch(file)
    raise RecordError(
        f"benchmark {name!r} is not here; put {file} into a folder and name it with --benchmarks DIR "
        f"or {ENVIRONMENT_VARIABLE}"
    )


def _in_folder(folder: Path, file: str) -> Path | None:
    """Return the file, or a compressed copy of it."""
    candidates = (folder / file, folder / f"{file}.gz")
    return next((path for path in candidates if path.is_file()), None)
