"""The torch engine's decoding beside `transformers.generate`, on the same weights, in one run and in turns.

    python benchmarks/decoding.py MODEL [--quantize 8] [--dtype bfloat16]

MODEL is a folder or GGUF file; it is exported to a temporary folder for transformers. Figures are medians over rounds:
prefill is the time to the first token of a prompt, decode what follows it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

from tabwright.model.checkpoint import open_checkpoint
from tabwright.model.decoder import Decoder
from tabwright.model.export import export_hugging_face
from tabwright.model.quantised import quantising
from tabwright.sampling.torch_engine.batch import Batch


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


def main() -> None:
    """Print prefill and decode of both, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--quantize", type=int, choices=(0, 4, 8), default=0)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--prompt", type=int, default=256, help="tokens of the prompt")
    parser.add_argument("--tokens", type=int, default=64, help="tokens to make")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    dtype = getattr(torch, options.dtype)
    checkpoint = open_checkpoint(options.model)
    whole = checkpoint.load(dtype=dtype)
    with tempfile.TemporaryDirectory() as folder:
        export_hugging_face(whole, Path(folder))
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
        model.eval()
    decoder = whole
    if options.quantize:
        decoder = open_checkpoint(options.model).load(place=quantising(options.quantize, torch.bfloat16))
    ids = torch.randint(5, 1000, (options.prompt,), generator=torch.Generator().manual_seed(1)).tolist()
    what = f"INT{options.quantize}" if options.quantize else options.dtype
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; ours {what}, transformers {options.dtype}")
    runs: dict[str, Callable[[int, int], float]] = {
        "ours": lambda rows, tokens: ours(decoder, ids, rows, tokens),
        "transformers": lambda rows, tokens: theirs(model, ids, rows, tokens),
    }
    for n_rows in (1, 8):
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for number in range(options.rounds + 1):
            for name, run in runs.items():
                first = run(n_rows, 1)
                rest = run(n_rows, options.tokens) - first
                if number:  # the first round warms up
                    times[name].append((first, n_rows * (options.tokens - 1) / rest))
        report(n_rows, times)


def report(n_rows: int, times: dict[str, list[tuple[float, float]]]) -> None:
    """Print the medians of one size of batch."""
    median = {
        name: (statistics.median(first for first, _ in rows), statistics.median(rate for _, rate in rows))
        for name, rows in times.items()
    }
    prefill = median["transformers"][0] / median["ours"][0]
    decode = median["ours"][1] / median["transformers"][1]
    for name, (first, rate) in median.items():
        print(f"  batch {n_rows}  {name:13} prefill {first * 1000:7.0f} ms   decode {rate:7.1f} tokens/s")
    print(f"  batch {n_rows}  ours is {prefill:.2f}x in prefill, {decode:.2f}x in decode")


if __name__ == "__main__":
    main()
