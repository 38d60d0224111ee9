"""The name of a benchmark, or a JSON Lines file of the same fields -> its problems."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tabwright.records import Problem, RecordError, read_records

BENCHMARKS = {"humaneval": "HumanEval.jsonl.gz"}
ENVIRONMENT_VARIABLE = "TABWRIGHT_BENCHMARKS"


def load_benchmark(
    name: str,
    *,
    directory: Path | None = None,
    cache: Path | None = None,
    fetch: Callable[[str], Path] | None = None,
) -> dict[str, Problem]:
    """Return the problems of a benchmark by `task_id`, in the file's order.

    Args:
        name: a key of `BENCHMARKS`, or the path of a file that ends in `.jsonl` or `.jsonl.gz`.
        directory: where the user keeps benchmark files; else the environment's `TABWRIGHT_BENCHMARKS`.
        cache: a folder that is looked into next.
        fetch: brings the file of the given name from its public place, and returns where it put it.

    Raises:
        RecordError: the benchmark is unknown, cannot be found, or a row of it is wrong.
    """
    path = Path(name) if name.endswith((".jsonl", ".jsonl.gz")) else _find(name, directory, cache, fetch)
    problems: dict[str, Problem] = {}
    for number, problem in enumerate(read_records(path, Problem), start=1):
        if problem.task_id in problems:
            raise RecordError(f"{path}, record {number}: task_id {problem.task_id!r} occurs twice; remove one")
        problems[problem.task_id] = problem
    if not problems:
        raise RecordError(f"{path}: no problems in it; give a file with one JSON object per line")
    return problems


def _find(name: str, directory: Path | None, cache: Path | None, fetch: Callable[[str], Path] | None) -> Path:
    if name not in BENCHMARKS:
        known = ", ".join(sorted(BENCHMARKS))
        raise RecordError(f"benchmark {name!r} is unknown; known are {known}, or give a .jsonl file")
    file = BENCHMARKS[name]
    named = directory or (Path(os.environ[ENVIRONMENT_VARIABLE]) if os.environ.get(ENVIRONMENT_VARIABLE) else None)
    if named is not None:
        if (named / file).is_file():
            return named / file
        raise RecordError(f"{named / file}: no such file; put it there, or name another folder")
    if cache is not None and (cache / file).is_file():
        return cache / file
    if fetch is not None:
        return fetch(file)
    raise RecordError(
        f"benchmark {name!r} is not here; put {file} into a folder and name it with --benchmarks DIR "
        f"or {ENVIRONMENT_VARIABLE}"
    )
