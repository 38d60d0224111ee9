"""Random bytes and mutated solutions through the scorer: it never dies, hangs or leaks.

    python tests/adversarial/fuzz.py --benchmarks DIR [--bytes 10000] [--mutants 10000] [--seed 0]

Prints what came of them. It fails where a verdict is missing, a worker died twice over one program, or anything is
left: processes, open files, memory.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tabwright.evaluation import load_benchmark
from tabwright.evaluation.pool import Job, Pool
from tabwright.records import Problem
from tabwright.sandbox import Limits

_PIECES = (
    "(",
    ")",
    "[",
    "]",
    ":",
    "\n",
    "    ",
    "0",
    "-1",
    "None",
    "*",
    "**",
    "while True:",
    "lambda",
    "yield ",
    "\0",
    "é",
)


def random_bytes(dice: random.Random) -> str:
    """Return up to 400 random bytes as the text that a file of samples can hold: half of them printable."""
    low, high = dice.choice(((0, 255), (32, 126)))
    return bytes(dice.randint(low, high) for _ in range(dice.randint(0, 400))).decode("utf-8", "surrogateescape")


def mutated(solution: str, dice: random.Random) -> str:
    """Return a solution with up to four changes: characters or lines taken out, doubled, swapped or put in."""
    for _ in range(dice.randint(1, 4)):
        at = dice.randint(0, len(solution))
        to = min(len(solution), at + dice.randint(0, 12))
        lines = solution.splitlines(keepends=True) or [""]
        line = dice.randrange(len(lines))
        other = dice.randrange(len(lines))
        solution = dice.choice(
            (
                solution[:at] + solution[to:],
                solution[:at] + solution[at:to] * 2 + solution[to:],
                solution[:at] + dice.choice(_PIECES) + solution[at:],
                "".join(lines[:line] + lines[line + 1 :]),
                "".join([*lines[:line], lines[other], *lines[line:]]),
            )
        )
    return solution


def jobs(problems: Sequence[Problem], n_bytes: int, n_mutants: int, seed: int) -> Iterator[Job]:
    """Yield the programs, the same for the same seed."""
    dice = random.Random(seed)
    for index in range(n_bytes):
        yield Job(index=index, problem=problems[index % len(problems)], completion=random_bytes(dice))
    for index in range(n_bytes, n_bytes + n_mutants):
        problem = problems[index % len(problems)]
        yield Job(index=index, problem=problem, completion=mutated(problem.canonical_solution, dice))


def run(problems: Sequence[Problem], n_bytes: int, n_mutants: int, seed: int, timeout_s: float = 1.0) -> Counter[str]:
    """Score them all; return how many came to each outcome.

    Raises:
        AssertionError: a verdict is missing, or something is left.
    """
    before = _own_descriptors()
    outcomes: Counter[str] = Counter()
    seen: set[int] = set()
    with Pool(len(os.sched_getaffinity(0)), limits=Limits(timeout_s=timeout_s)) as pool:
        early = 0
        for index, verdict in pool.run(jobs(problems, n_bytes, n_mutants, seed)):
            assert verdict.error is None or "worker" not in verdict.error, (index, verdict)
            seen.add(index)
            outcomes[verdict.outcome] += 1
            if len(seen) == (n_bytes + n_mutants) // 4:
                early = _resident_bytes()
        grown = _resident_bytes() - early
    assert seen == set(range(n_bytes + n_mutants))
    assert grown < 16 << 20, f"grew by {grown} bytes"
    assert _own_descriptors() == before
    assert _children() == []
    return outcomes


def _own_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def main() -> None:
    """Fuzz with the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarks", type=Path, required=True)
    parser.add_argument("--bytes", type=int, default=10_000)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    problems = list(load_benchmark("humaneval", directory=options.benchmarks).values())
    started = time.monotonic()
    outcomes = run(problems, options.bytes, options.mutants, options.seed)
    print(f"{outcomes.total()} programs in {time.monotonic() - started:.0f} s: {dict(outcomes.most_common())}")


if __name__ == "__main__":
    main()
