"""One timed corpus build, told as a line of JSON: what `corpus.py` runs in a process of its own.

    python benchmarks/corpus_build.py --recipe FILE --from SOURCE... [--benchmarks DIR] [--tokenizer DIR] [--workers N]
                                      [--pool]

Seconds are of the stages, after all imports; `peak_mb` is what the largest process held. With `--pool` partitions are
handed out by Python's own pool of processes in the place of Daft.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tabwright.corpus import CorpusConfig
from tabwright.corpus.build import build_corpus
from tabwright.corpus.passes import engine
from tabwright.evaluation import benchmarks, load_benchmark
from tabwright.recipe import read_recipe
from tabwright.records import Problem
from tabwright.tokens.shards.config import ShardsConfig
from tabwright.tokens.shards.encoding import encode_corpus


def by_pool(
    task: engine.Task, partitions: Sequence[int], n_workers: int, *, in_threads: bool = False
) -> Iterator[None]:
    """What `engine.run` does, by Python's own pool."""
    with ProcessPoolExecutor(n_workers, get_context("spawn"), _hold, (task,)) as pool:
        yield from pool.map(_do, partitions)


_held: list[engine.Task] = []


def _hold(task: engine.Task) -> None:
    _held.append(task)


def _do(partition: int) -> None:
    _held[0](partition)


def timed_build(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Build a corpus, and shards of it where there is a tokenizer; return what is told of it."""
    config = read_recipe(arguments.recipe, "corpus", CorpusConfig)
    problems: list[Problem] = []
    if "contamination" in config.rules:
        problems = [
            problem
            for name in benchmarks()
            for problem in load_benchmark(name, directory=arguments.benchmarks).values()
        ]
    begun: dict[str, float] = {}

    def note(stage: str, _done: int, _of: int) -> None:
        begun.setdefault(stage, time.perf_counter())

    report = build_corpus(
        config, arguments.sources, folder / "corpus", problems=problems, n_workers=arguments.workers, progress=note
    )
    if arguments.tokenizer:
        begun["encoding"] = time.perf_counter()
        encode_corpus(ShardsConfig(), arguments.tokenizer, [folder / "corpus"], folder / "shards")
    ends = [*list(begun.values())[1:], time.perf_counter()]
    # Not the system's figure for this process: that begins with what its parent held.
    own = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0])
    peak = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    return {
        "seconds": {stage: end - start for (stage, start), end in zip(begun.items(), ends, strict=True)},
        "documents": report.documents,
        "read_mb": next(iter(report.rules.values())).size_bytes / 1e6,
        "peak_mb": peak / 1000,
    }


def main() -> None:
    """Read the arguments, build in a temporary folder, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--from", dest="sources", nargs="+", required=True)
    parser.add_argument("--benchmarks", type=Path)
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--pool", action="store_true")
    arguments = parser.parse_args()
    if arguments.pool:
        engine.run = by_pool
    with tempfile.TemporaryDirectory(prefix="tabwright-") as folder:
        print(json.dumps(timed_build(arguments, Path(folder))))


if __name__ == "__main__":
    main()
