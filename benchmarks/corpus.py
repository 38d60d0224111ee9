"""A corpus build's speed: beside datatrove on the same steps, Daft beside a plain pool, and how each step grows.

    python benchmarks/corpus.py SOURCE... --benchmarks DIR --tokenizer DIR [--datatrove PYTHON] [--plot FILE.svg]

Sources are as for `tabwright corpus build`; what is text in them is taken in the order of its digests. For the peer,
128 MB in one Parquet file that both read: filters by lines and characters, then near duplicates by 14 x 8 minima of
runs of five words, on one core. For Daft beside Python's own pool of processes, a quarter of all, by
`recipes/corpus.toml`. For the growth, a sixteenth, a quarter and all of it by the same recipe, and shards of that, on
all cores; last the same from the sources themselves. Every run is a process of its own. PYTHON is one with
`datatrove[processing,io]` and spacy.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tabwright.corpus.batch import SourceFile
from tabwright.corpus.sources import open_source

_HERE = Path(__file__).resolve().parent
_RECIPE = _HERE.parent / "recipes" / "corpus.toml"
_PEER_RECIPE = '[corpus]\nrules = ["lines", "characters"]\n'
_MAX_BYTES, _PEER_BYTES, _FILE_BYTES = 1_000_000, 128_000_000, 32_000_000
_ROWS = 1000  # of a row group, as in The Stack's files
_PARTS = (16, 4, 1)
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9")


def readable(places: Sequence[str]) -> Iterator[SourceFile]:
    """Yield the files of all sources that are text."""
    for place in places:
        source = open_source(place, _MAX_BYTES)
        for file in source.read(source.entries()):
            try:
                file.text.decode()
            except UnicodeDecodeError:
                continue
            if file.text and b"\0" not in file.text:
                yield file


def write_files(files: Sequence[SourceFile], folder: Path, most: int = _FILE_BYTES) -> list[str]:
    """Write files to Parquet files of at most so many bytes; return their names."""
    folder.mkdir()
    names: list[str] = []
    group: list[SourceFile] = []
    size = 0
    for file in [*files, None]:
        if group and (file is None or size + len(file.text) > most):
            names.append(str(folder / f"{len(names):03}.parquet"))
            rows = [{name: getattr(f, name) for name in ("repository", "path", "licence")} for f in group]
            table = pa.Table.from_pylist(rows).append_column("text", [[f.text.decode() for f in group]])
            pq.write_table(table, names[-1], compression="lz4", row_group_size=_ROWS)
            group, size = [], 0
        if file is not None:
            group.append(file)
            size += len(file.text)
    return names


def run(command: Sequence[str], cores: set[int]) -> dict[str, Any]:
    """Run a command on some cores; return the JSON that it prints last."""
    os.sync()  # nobody waits for what another run has written
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        os.sched_setaffinity(0, before)
    if done.returncode:
        sys.exit(f"{' '.join(command)[:300]}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])  # type: ignore[no-any-return]


def build(recipe: Path, sources: Sequence[str], *more: str) -> list[str]:
    """Return the command of one of our builds."""
    return [sys.executable, str(_HERE / "corpus_build.py"), "--recipe", str(recipe), *more, "--from", *sources]


def beside_peers(files: Sequence[SourceFile], folder: Path, python: str, rounds: int) -> None:
    """Print a line for each engine: MB/s on one core (median of the rounds), and the memory of its largest process."""
    size, chosen = 0, []
    for file in files:
        if size + len(file.text) > _PEER_BYTES:
            break
        chosen.append(file)
        size += len(file.text)
    folder.mkdir()
    sources = write_files(chosen, folder / "files", most=2 * _PEER_BYTES)
    recipe = folder / "recipe.toml"
    recipe.write_text(_PEER_RECIPE)
    contenders = {"tabwright": build(recipe, sources)}
    if python:
        peer = [python, str(_HERE / "corpus_datatrove.py"), str(folder / "files")]
        contenders |= {"datatrove, words by one expression": [*peer, "--words"], "datatrove": peer}
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name, command in contenders.items():
            if name != "datatrove" or not number:  # minutes: once
                results[name].append(run(command, {min(os.sched_getaffinity(0))}))
    ours = 0.0
    print(f"{len(chosen):,} files, {size / 1e6:.1f} MB, one core")
    for name, told in results.items():
        speed = statistics.median(size / 1e6 / sum(one["seconds"].values()) for one in told)
        ours = ours or speed
        print(
            f"  {name:36} {speed:7.2f} MB/s ({ours / speed:6.1f}x)  {told[0]['documents']:,} documents kept, "
            f"{max(one['peak_mb'] for one in told):,.0f} MB at most"
        )


def engine(files: Sequence[SourceFile], folder: Path, more: Sequence[str], rounds: int) -> None:
    """Print what Daft adds to Python's own pool of processes over the same partitions, on all cores."""
    sources = write_files(files, folder)
    cores = os.sched_getaffinity(0)
    options = ("--workers", str(len(cores)), *more)
    commands = {"a pool": build(_RECIPE, sources, *options, "--pool"), "Daft": build(_RECIPE, sources, *options)}
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(sum(run(command, cores)["seconds"].values()))
    pool, daft = (statistics.median(found) for found in seconds.values())
    size = sum(len(file.text) for file in files) / 1e6
    print(f"{size:.1f} MB by recipes/corpus.toml, {len(cores)} cores: Python's pool {pool:.1f} s, Daft {daft:.1f} s")


def growth(
    files: Sequence[SourceFile], folder: Path, more: Sequence[str], rounds: int
) -> list[tuple[float, dict[str, float]]]:
    """Build from a sixteenth, a quarter and all files; print and return the MB and the seconds of each stage."""
    points = []
    for part in _PARTS:
        sources = write_files(files[: len(files) // part], folder / str(part))
        points.append(to_shards(sources, more, rounds))
    return points


def to_shards(sources: Sequence[str], more: Sequence[str], rounds: int) -> tuple[float, dict[str, float]]:
    """Build a corpus and shards of it on all cores; print and return the MB and the seconds of the middle round."""
    cores = os.sched_getaffinity(0)
    command = build(_RECIPE, sources, "--workers", str(len(cores)), *more)
    ran = sorted((run(command, cores) for _ in range(rounds)), key=lambda told: sum(told["seconds"].values()))
    told = ran[len(ran) // 2]
    size, total = told["read_mb"], sum(told["seconds"].values())
    print(
        f"{size:7.1f} MB: {total:6.1f} s, {size / total / len(cores):5.2f} MB/s for each of {len(cores)} cores "
        f"(fastest round {size / sum(ran[0]['seconds'].values()) / len(cores):.2f}), {told['documents']:,} documents, "
        f"{told['peak_mb']:,.0f} MB at most in one process "
        f"({', '.join(f'{stage} {value:.2f}' for stage, value in told['seconds'].items())})"
    )
    return size, told["seconds"]


def plot(points: Sequence[tuple[float, dict[str, float]]], path: Path) -> None:
    """Draw each stage's seconds for a GB; a line that is level is linear growth."""
    width, height, left, top = 640, 320, 60, 20
    stages = list(points[0][1])
    rates = {stage: [told[stage] / size * 1000 for size, told in points] for stage in stages}
    highest = 20 * math.ceil(max(max(values) for values in rates.values()) / 20)
    places = [left + at * (width - left - 170) / (len(points) - 1) for at in range(len(points))]

    def y(value: float) -> float:
        return top + (height - top - 40) * (1 - value / highest)

    drawn = [f'<rect width="{width}" height="{height}" fill="white"/>']
    for tick in range(5):
        value = highest * tick / 4
        drawn.append(f'<path d="M{left} {y(value):.1f}H{width - 170}" stroke="#ddd"/>')
        drawn.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    for place, (size, _) in zip(places, points, strict=True):
        drawn.append(f'<text x="{place:.1f}" y="{height - 22}" text-anchor="middle">{size:.0f} MB</text>')
    for number, stage in enumerate(stages):
        colour = _COLOURS[number % len(_COLOURS)]
        line = " ".join(f"{place:.1f},{y(value):.1f}" for place, value in zip(places, rates[stage], strict=True))
        drawn.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [
            f'<circle cx="{at.split(",")[0]}" cy="{at.split(",")[1]}" r="3" fill="{colour}"/>' for at in line.split()
        ]
        drawn.append(f'<text x="{width - 160}" y="{top + 14 + 20 * number}" fill="{colour}">{stage}</text>')
    drawn.append(
        f'<text x="{left}" y="{height - 4}">seconds for each GB of files, on a logarithmic scale of sizes</text>'
    )
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12">{"".join(drawn)}</svg>\n'
    )


def main() -> None:
    """Make the samples, run everything, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--benchmarks", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--datatrove", default="", metavar="PYTHON")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    files = list(readable(arguments.sources))
    files.sort(key=lambda file: hashlib.sha256(f"{file.repository}/{file.path}".encode()).digest())
    with tempfile.TemporaryDirectory(prefix="tabwright-") as name:
        beside_peers(files, Path(name) / "peers", arguments.datatrove, arguments.rounds)
        more = ("--benchmarks", arguments.benchmarks, "--tokenizer", arguments.tokenizer)
        quarter = files[: len(files) // 4]
        engine(quarter, Path(name) / "engine", more[:2], arguments.rounds)
        points = growth(files, Path(name), more, arguments.rounds)
    print("the sources themselves:")
    to_shards(arguments.sources, more, arguments.rounds)
    if arguments.plot:
        plot(points, arguments.plot)


if __name__ == "__main__":
    main()
