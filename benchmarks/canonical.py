"""How many of each benchmark's own solutions pass. All should, once known faults of the data are mended.

Each benchmark is a row of a table, with the tasks that do not pass below it.

    python benchmarks/canonical.py --benchmarks DIR [--only NAME ...] [--timeout 10] [--as-published]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

from tabwright.evaluation import benchmarks, faults_of, load_benchmark
from tabwright.evaluation.pool import Job, Pool
from tabwright.records import Problem
from tabwright.sampling.models import cache_folder
from tabwright.sandbox import Limits


def passed(problems: Sequence[Problem], timeout_s: float) -> list[str]:
    """Return the tasks whose solutions do not pass, each with what came of it."""
    workers, kits = len(os.sched_getaffinity(0)), cache_folder() / "kits"
    jobs = [Job(index=i, problem=problem, completion=problem.canonical_solution) for i, problem in enumerate(problems)]
    with Pool(workers, limits=Limits(timeout_s=timeout_s), kits=kits) as pool:
        return [
            f"{problems[index].task_id}: {verdict.outcome} {verdict.error or ''}"
            for index, verdict in pool.run(jobs)
            if verdict.outcome != "passed"
        ]


def main() -> None:
    """Print a row for each benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarks", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=sorted(benchmarks()))
    parser.add_argument("--timeout", type=float, default=10.0)
    parser.add_argument("--as-published", action="store_true")
    options = parser.parse_args()
    for name in options.only:
        problems = load_benchmark(name, directory=options.benchmarks, as_published=options.as_published)
        started = time.monotonic()
        failures = passed(list(problems.values()), options.timeout)
        faulty = 0 if options.as_published else len({fault.task_id for fault in faults_of(name)})
        seconds = time.monotonic() - started
        print(
            f"| `{name}` | {len(problems) - len(failures)} of {len(problems)} | {faulty} | {seconds:.0f} s |",
            flush=True,
        )
        for failure in failures:
            print(f"  {failure}", flush=True)


if __name__ == "__main__":
    main()
