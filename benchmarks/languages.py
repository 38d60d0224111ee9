"""Judging HumanEval-X's other languages beside the commands of CodeGeeX2's harness: one run, interleaved.

    python benchmarks/languages.py go rust java js --benchmarks DIR [--problems N] [--rounds N]

Canonical solutions, the same for both. Kits, tests and processes that stay are there before the first measured round,
as for all but the first samples of a run, and so are the harness's dependencies: testify and Rust's crates from the
system's packages, rand 0.4 from the kit. A solution in Rust begins with a line that no round before had, as cargo keeps
what it can of a file's last build, and samples differ. CPU time is that of all that either starts, and its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

from tabwright.evaluation import load_benchmark
from tabwright.evaluation.languages import Judge, languages
from tabwright.evaluation.languages.table import FOLDER
from tabwright.records import Problem
from tabwright.sandbox import Limits

# The file that the harness writes, and the commands that it runs on it (evaluation/execution.py).
PEER: dict[str, tuple[str, list[list[str]]]] = {
    "cpp": ("test.cpp", [["g++", "-std=c++11", "test.cpp", "-lcrypto", "-lssl"], ["./a.out"]]),
    "go": ("main_test.go", [["go", "test", "-timeout=5.0s", "main_test.go"]]),
    "java": ("Main.java", [["javac", "Main.java"], ["java", "-cp", ".", "Main"]]),
    "js": ("test.js", [["node", "test.js"]]),
    "rust": (
        "src/bin/{task}.rs",
        [["cargo", verb, "--offline", "--bin", "{task}", "--message-format", "json"] for verb in ("check", "test")],
    ),
}
_ONLY_ONCE = {"rust": "    let _round = {round};\n"}
_GO_HELPERS = ("math", "strings", "fmt", "strconv", "time", "bytes", "regexp", "sort", "math/rand", "crypto/md5")
_CRATES = """\
[source.crates-io]
replace-with = "installed"
[source.installed]
directory = "/usr/share/cargo/registry"
"""
_WARM_ROUNDS = 8  # compilers that stay compile ever faster at first


def source(problem: Problem, code: str) -> str:
    """Return the text of the harness's file (evaluation/evaluation.py, process_test)."""
    before = problem.preamble or problem.prompt
    if problem.language == "go":
        used = [name for name in _GO_HELPERS if f'"{name}"' not in before and f"{name.split('/')[-1]}." in code]
        setup, _, rest = before.partition(")\n")
        before = f"{setup})\n" + "".join(f'import "{name}"\n' for name in used) + rest
    main = "fn main() {}\n" if problem.language == "rust" else ""
    return f"{main}{before}{code}\n{problem.test}"


@contextmanager
def folder_of(key: str) -> Iterator[Path]:
    """Give the folder that the harness works in: a fresh one, but for Rust, whose crates lie built beside the file."""
    if key == "rust":
        yield rust_project()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@cache
def rust_project() -> Path:
    """Make the harness's project (benchmark/humanevalx/rust) of what is installed."""
    folder = Path(tempfile.mkdtemp())
    for name in ("src/bin", "rand/src", ".cargo"):
        (folder / name).mkdir(parents=True)
    kit = FOLDER / "rust"
    text = (kit / "Cargo.toml").read_text().partition("[profile")[0].replace('[lib]\npath = "rand.rs"\n', "")
    (folder / "Cargo.toml").write_text(f'{text}\n[dependencies.rand]\npath = "rand"\n')
    (folder / "rand" / "Cargo.toml").write_text('[package]\nname = "rand"\nversion = "0.4.6"\nedition = "2021"\n')
    (folder / "rand" / "src" / "lib.rs").write_bytes((kit / "rand.rs").read_bytes())
    (folder / ".cargo" / "config.toml").write_text(_CRATES)
    return folder


def peer(key: str, problem: Problem, code: str) -> None:
    """Build and run a solution as CodeGeeX2 does."""
    (file, commands), task = PEER[key], problem.task_id.lower().replace("/", "_")
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
    with folder_of(key) as folder:
        (folder / file.format(task=task)).write_text(source(problem, code))
        for command in commands:
            filled = [part.format(task=task) for part in command]
            subprocess.run(filled, cwd=folder, env=environment, capture_output=True, check=True)


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


def solution(problem: Problem, number: int) -> str:
    """Return the canonical solution as it is judged in a round."""
    return _ONLY_ONCE.get(problem.language, "").format(round=number) + problem.canonical_solution


def measure(key: str, problems: list[Problem], rounds: int, kits: Path) -> str:
    """Return one line of figures for a language."""
    with Judge(languages()[key], Limits(timeout_s=5.0), kits) as judge:

        def us(problem: Problem, code: str) -> None:
            assert judge.judge(problem, code).outcome == "passed", problem.task_id

        for number in range(_WARM_ROUNDS):
            for problem in problems:
                us(problem, solution(problem, number))
        for problem in problems:
            peer(key, problem, solution(problem, 0))
        ours: list[list[tuple[float, float]]] = [[] for _ in problems]
        theirs: list[list[tuple[float, float]]] = [[] for _ in problems]
        for number in range(1, rounds + 1):
            for index, problem in enumerate(problems):
                code = solution(problem, number)
                ours[index].append(timed(partial(us, problem, code)))
                theirs[index].append(timed(partial(peer, key, problem, code)))
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
