"""Real models out again: the export is loaded by transformers and by llama.cpp, and asked what the import is asked.

    python benchmarks/exports.py MODEL.gguf [--quantize q8_0]

Told are the largest difference of a logit from transformers', of a log-probability from llama.cpp's, and whether
transformers decodes the text that it encoded.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

import torch
import transformers

from tabwright.model.checkpoint import open_checkpoint
from tabwright.model.decoder import Decoder
from tabwright.model.export import export_gguf, export_hugging_face
from tabwright.sampling import SamplingOptions
from tabwright.sampling.llamacpp import LlamaCppConfig, LlamaCppEngine
from tabwright.sampling.prompts import RenderedPrompt
from tabwright.tokens.gguf_fields import gguf_fields
from tabwright.tokens.opening import keep_files, open_tokenizer

TEXT = 'def fibonacci(n: int) -> int:\n    """Return the n-th Fibonacci number: fibonacci(10) == 55."""\n'


def beside_transformers(decoder: Decoder, folder: Path) -> None:
    """Print how far the export's logits are from the import's."""
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(TEXT, return_tensors="pt").input_ids
    ours = open_tokenizer(folder)
    with torch.inference_mode():
        error = float((model.eval()(ids).logits - decoder(ids)).abs().max())
    same_ids = ids[0].tolist() == [*ours.opening, *ours.encode(TEXT, begins=True)]
    print(f"  transformers: {error:.1e} at most from our logits; the same ids: {same_ids};", end=" ")
    print(f"the text comes back: {tokenizer.decode(ids[0], skip_special_tokens=True) == TEXT}")


async def beside_llamacpp(path: Path, tokenizer_folder: Path) -> None:
    """Print how far the first tokens' log-probabilities are from those of the file's own weights."""
    ours = open_tokenizer(tokenizer_folder)
    ids = [*ours.opening, *ours.encode(TEXT, begins=True)]
    engine = await LlamaCppEngine.start(LlamaCppConfig(path=path, name="export", slots=1, context_length=512))
    try:
        chunks = engine._samples(RenderedPrompt(ids, ""), SamplingOptions(max_tokens=16), 0)
        tokens = [token async for chunk in chunks for token in chunk.tokens]
    finally:
        await engine.close()
    written = open_checkpoint(path).load()
    worst, said = 0.0, b""
    with torch.inference_mode():
        for token in tokens:
            scores = torch.log_softmax(written(torch.tensor([ids]))[0, -1], -1)
            best = int(scores.argmax())
            worst = max(worst, abs(float(scores[best]) - token.logprob))
            ids.append(best)
            said += ours.piece(best)
    same = said.decode("utf-8", "replace") == "".join(token.text for token in tokens)
    print(f"  llama.cpp ({path.name}): {worst:.3f} nats at most from ours over 16 tokens; the same text: {same}")


def main() -> None:
    """Import, export, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--quantize", default="q8_0", choices=("f16", "q8_0", "q4_0", "q4_1"))
    options = parser.parse_args()
    decoder = open_checkpoint(options.model).load()
    print(options.model.name)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export_hugging_face(decoder, folder)
        keep_files(options.model, folder)
        beside_transformers(decoder, folder)
        path = folder / f"{options.quantize}.gguf"
        fields = gguf_fields(folder, decoder.config.vocab_size)
        export_gguf(decoder, path, quantisation=options.quantize, metadata=fields)
        del decoder
        asyncio.run(beside_llamacpp(path, folder))


if __name__ == "__main__":
    main()
