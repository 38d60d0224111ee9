"""The torch engine's decoding beside `transformers.generate`, on the same weights, in one run and in turns.

    python benchmarks/decoding.py MODEL [--rounds 5]

MODEL is a folder or GGUF file; it is exported to a temporary folder for transformers. Figures are medians over rounds:
prefill is the time to the first token of a prompt, which several samples share with us and not with `generate`; decode
is what follows it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch
import transformers

from tabwright.model.checkpoint import open_checkpoint
from tabwright.model.decoder import Decoder
from tabwright.model.export import export_hugging_face
from tabwright.model.quantised import Bits, quantising
from tabwright.sampling.torch_engine.batch import Batch

Run = Callable[[list[int], int, int], float]


def ours(decoder: Decoder, ids: list[int], n_rows: int, n_tokens: int) -> float:
    """Return the seconds that a prompt and so many greedy tokens take in each of several rows."""
    batch = Batch(decoder, n_rows)
    start = time.perf_counter()
    row = batch.begin(ids)
    while (logits := batch.read(row)) is None:
        pass
    batch.join(row, n_rows - 1)
    tokens = [int(logits.argmax())] * n_rows
    for _ in range(n_tokens - 1):
        tokens = batch.step(tokens).argmax(-1).tolist()
    return time.perf_counter() - start


def theirs(model: Any, ids: list[int], n_rows: int, n_tokens: int) -> float:
    """Return the same for `generate`."""
    prompts = torch.tensor([ids] * n_rows)
    start = time.perf_counter()
    with torch.inference_mode():
        model.generate(
            prompts, attention_mask=torch.ones_like(prompts), max_new_tokens=n_tokens, min_new_tokens=n_tokens,
            do_sample=False, pad_token_id=0,
        )  # fmt: skip
    return time.perf_counter() - start


def contenders(path: Path) -> dict[str, Run]:
    """Return what is compared, by name: each takes a prompt, rows and tokens, and gives seconds."""
    runs: dict[str, Run] = {}
    whole = open_checkpoint(path).load()
    with tempfile.TemporaryDirectory() as folder:
        export_hugging_face(whole, Path(folder))
        for dtype in (torch.float32, torch.bfloat16):
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
            runs[f"transformers {str(dtype).removeprefix('torch.')}"] = partial(theirs, model.eval())
    runs["ours float32"] = partial(ours, whole)
    for bits in get_args(Bits):
        runs[f"ours INT{bits}"] = partial(ours, open_checkpoint(path).load(place=quantising(bits, torch.bfloat16)))
    return runs


def main() -> None:
    """Print prefill and decode of each, and how many times the first one's speed that is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--prompt", type=int, default=256, help="tokens of the prompt")
    parser.add_argument("--tokens", type=int, default=64, help="tokens to make")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    runs = contenders(options.model)
    ids = torch.randint(5, 1000, (options.prompt,), generator=torch.Generator().manual_seed(1)).tolist()
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, {torch.get_num_threads()} threads")
    for n_rows in (1, 8):
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for number in range(options.rounds + 1):
            for name, run in runs.items():
                first = run(ids, n_rows, 1)
                rest = run(ids, n_rows, options.tokens) - first
                if number:  # the first round warms up
                    times[name].append((first, n_rows * (options.tokens - 1) / rest))
        report(n_rows, times)


def report(n_rows: int, times: dict[str, list[tuple[float, float]]]) -> None:
    """Print the medians of one size of batch; a ratio is the median of those of each round."""
    base = next(iter(times.values()))
    for name, rows in times.items():
        first, rate = (statistics.median(values) for values in zip(*rows, strict=True))
        faster = statistics.median(theirs[0] / mine[0] for mine, theirs in zip(rows, base, strict=True))
        quicker = statistics.median(mine[1] / theirs[1] for mine, theirs in zip(rows, base, strict=True))
        print(
            f"  batch {n_rows}  {name:22} prefill {first * 1000:6.0f} ms ({faster:5.2f}x)"
            f"   decode {rate:6.1f} tokens/s ({quicker:4.2f}x)"
        )


if __name__ == "__main__":
    main()
