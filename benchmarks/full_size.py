"""Memory of full-size models: random weights in the published shapes and layouts, loaded quantised, and asked.

    python benchmarks/full_size.py codegeex2-6b --quantize 4 [--folder DIR] [--tokens 8]

The files take two bytes for each parameter. They are written shard by shard, from a pool of random numbers that all
tensors share, and are removed at the end. What is told of memory is the process's own (`/proc/self/status`): all that
is resident, and the part of it that is no view of a file.
"""

from __future__ import annotations

import argparse
import inspect
import json
import multiprocessing
import shutil
import tempfile
import threading
import time
from pathlib import Path

import tokenizers
import torch

import tabwright
from tabwright.model.export import export_hugging_face
from tabwright.model.families import preset
from tabwright.model.weights.transfer import empty_decoder, put, shapes_of

_GB = 1e9


def write(name: str, folder: Path) -> None:
    """Write a model of a preset's shape, in half precision, and a small tokenizer beside it."""
    decoder = empty_decoder(preset(name))
    shapes = shapes_of(decoder)
    largest = max(torch.Size(shape).numel() for shape in shapes.values())
    pool = torch.empty(largest + len(shapes), dtype=torch.float16).normal_(0, 0.02)
    for number, (weight, shape) in enumerate(shapes.items()):
        values = pool[number : number + torch.Size(shape).numel()].view(shape)
        put(decoder, weight, torch.ones_like(values) if "norm.weight" in weight else values)
    export_hugging_face(decoder, folder, shard_bytes=2_000_000_000)
    backend = tokenizers.ByteLevelBPETokenizer()
    backend.train_from_iterator([inspect.getsource(argparse)], vocab_size=2000, show_progress=False)
    backend.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|endoftext|>"}))


def resident() -> tuple[float, float]:
    """Return the gigabytes that are resident, and those of them that are no view of a file."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    whole, own = (int(lines[key].split()[0]) * 1024 / _GB for key in ("VmRSS", "RssAnon"))
    return whole, own


class Peak:
    """The most that was resident between two moments, looked at 20 times a second."""

    def __init__(self) -> None:
        self.whole = self.own = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            whole, own = resident()
            self.whole, self.own = max(self.whole, whole), max(self.own, own)


def ask(folder: Path, bits: int, n_tokens: int) -> None:
    """Load the model and let it write; print what that took."""
    empty = resident()[0]
    peak = Peak()
    start = time.perf_counter()
    with tabwright.load(folder, bits=bits, slots=1) as model:
        loaded = time.perf_counter() - start
        peak.end()
        whole, own = resident()
        print(
            f"loaded in {loaded:.0f} s: {whole:.2f} GB resident ({own:.2f} GB its own, {empty:.2f} GB before);", end=" "
        )
        print(f"at most {peak.whole:.2f} GB while loading ({peak.own:.2f} GB its own)")
        start = time.perf_counter()
        text = model.complete("# language: Python\n# write a bubble sort function\n", max_tokens=n_tokens)
        whole, own = resident()
        print(f"{n_tokens} tokens in {time.perf_counter() - start:.1f} s: {len(text)} characters;", end=" ")
        print(f"{whole:.2f} GB resident ({own:.2f} GB its own)")


def main() -> None:
    """Write, and load in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("preset")
    parser.add_argument("--quantize", type=int, choices=(4, 8), required=True)
    parser.add_argument("--folder", type=Path, help="where the files go; needs two bytes for each parameter")
    parser.add_argument("--tokens", type=int, default=8)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(dir=options.folder, prefix="full-size-"))
    try:
        start = time.perf_counter()
        process = multiprocessing.get_context("spawn").Process(target=write, args=(options.preset, place))
        process.start()
        process.join()
        files = sum(path.stat().st_size for path in place.glob("*.safetensors"))
        print(f"{options.preset}: {files / _GB:.1f} GB written in {time.perf_counter() - start:.0f} s", flush=True)
        process = multiprocessing.get_context("spawn").Process(
            target=ask, args=(place, options.quantize, options.tokens)
        )
        process.start()
        process.join()
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
