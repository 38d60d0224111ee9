"""Judging HumanEval-X's other languages beside the commands of CodeGeeX2's harness: one run, interleaved.

    python benchmarks/languages.py java js --benchmarks DIR [--problems N] [--rounds N]

Canonical solutions, the same for both. Kits, tests and processes that stay are there before the first measured round,
as for all but the first samples of a run. CPU time is that of all processes that either starts, itself too.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tabwright.evaluation import load_benchmark
from tabwright.evaluation.languages import Judge, languages
from tabwright.records import Problem
from tabwright.sandbox import Limits

# The file that the harness writes, and the commands that it runs on it (evaluation/execution.py).
PEER: dict[str, tuple[str, list[list[str]]]] = {
    "cpp": ("test.cpp", [["g++", "-std=c++11", "test.cpp", "-lcrypto", "-lssl"], ["./a.out"]]),
    "java": ("Main.java", [["javac", "Main.java"], ["java", "-cp", ".", "Main"]]),
    "js": ("test.js", [["node", "test.js"]]),
}
_WARM_ROUNDS = 8  # compilers that stay compile ever faster at first


def peer(key: str, problem: Problem) -> None:
    """Build and run one problem's canonical solution as CodeGeeX2 does."""
    file, commands = PEER[key]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, file).write_text(f"{problem.prompt}{problem.canonical_solution}\n{problem.test}")
        for command in commands:
            subprocess.run(command, cwd=folder, capture_output=True, check=True)


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process, of what it has waited for, and of all that runs below it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = [
            child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
        ]
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + sum(cpu_s(int(child)) for child in children)


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Return wall-clock and CPU time of an action, in seconds."""
    before, start = cpu_s(os.getpid()), time.perf_counter()
    action()
    return time.perf_counter() - start, cpu_s(os.getpid()) - before


def measure(key: str, problems: list[Problem], rounds: int, kits: Path) -> str:
    """Return one line of figures for a language."""
    with Judge(languages()[key], Limits(timeout_s=5.0), kits) as judge:
        for _ in range(_WARM_ROUNDS):
            assert all(judge.judge(problem, problem.canonical_solution).outcome == "passed" for problem in problems)
        ours: list[list[tuple[float, float]]] = [[] for _ in problems]
        theirs: list[list[tuple[float, float]]] = [[] for _ in problems]
        for _ in range(rounds):
            for index, problem in enumerate(problems):
                ours[index].append(timed(lambda p=problem: judge.judge(p, p.canonical_solution)))  # type: ignore[misc]
                theirs[index].append(timed(lambda p=problem: peer(key, p)))  # type: ignore[misc]
    walls = [[statistics.median(w for w, _ in runs) for runs in side] for side in (ours, theirs)]
    cpu = [statistics.mean(c for runs in side for _, c in runs) for side in (ours, theirs)]
    ratio = statistics.median(there / here for here, there in zip(*walls, strict=True))
    here, there = (1000 * statistics.median(side) for side in walls)
    return (
        f"{key:5} {here:7.1f} ms beside {there:7.1f} ms, median of ratios {ratio:5.1f}; "
        f"CPU {1000 * cpu[0]:6.1f} ms beside {1000 * cpu[1]:6.1f} ms, ratio {cpu[1] / cpu[0]:5.1f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("languages", nargs="+", choices=sorted(PEER))
    parser.add_argument("--benchmarks", type=Path, required=True)
    parser.add_argument("--kits", type=Path, default=Path(tempfile.gettempdir(), "tabwright-kits"))
    parser.add_argument("--problems", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {given.problems} problems")
    for key in given.languages:
        problems = list(load_benchmark(f"humanevalx-{key}", directory=given.benchmarks, as_published=True).values())
        print(measure(key, problems[:: len(problems) // given.problems][: given.problems], given.rounds, given.kits))


if __name__ == "__main__":
    main()
