"""The same greedy text from the torch engine and from llama.cpp, on the prompts of HumanEval.

    python benchmarks/engines.py MODEL.gguf --benchmarks DIR [--prompts 50] [--tokens 48]

Each difference is told with how far apart the two tokens were in the torch engine's eyes: llama.cpp rounds what goes
into a quantised matrix to eight bits and keeps keys and values in halves, so near ties may fall the other way.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from pathlib import Path

from tabwright.evaluation.benchmarks import load_benchmark
from tabwright.sampling import SamplingOptions, Token
from tabwright.sampling.llamacpp import LlamaCppConfig, LlamaCppEngine
from tabwright.sampling.prompts import RenderedPrompt
from tabwright.sampling.torch_engine.engine import TorchConfig, TorchEngine
from tabwright.tokens.opening import open_tokenizer


async def tokens_of(engine: LlamaCppEngine | TorchEngine, ids: list[int], n_tokens: int) -> list[Token]:
    """Return the greedy tokens after some ids, with the two most probable ones at each place."""
    options = SamplingOptions(max_tokens=n_tokens, top_logprobs=2)
    chunks = engine._samples(RenderedPrompt(ids, ""), options, 0)  # below healing, of which each has its own kind
    return [token async for chunk in chunks for token in chunk.tokens]


async def compare(model: Path, texts: dict[str, str], n_tokens: int) -> None:
    """Print the share of equal tokens, and each first difference."""
    theirs = await LlamaCppEngine.start(LlamaCppConfig(path=model, name=model.stem, slots=1))
    ours = await TorchEngine.start(TorchConfig(path=model, slots=1))
    tokenizer = open_tokenizer(model)
    n_equal = n_all = n_same = 0
    margins = []
    try:
        for name, text in texts.items():
            ids = [*tokenizer.opening, *tokenizer.encode(text, begins=True)]
            one, other = await tokens_of(ours, ids, n_tokens), await tokens_of(theirs, ids, n_tokens)
            pairs = list(zip(one, other, strict=False))
            equal = next((at for at, (a, b) in enumerate(pairs) if a.text != b.text), len(pairs))
            n_equal, n_all = n_equal + equal, n_all + max(len(one), len(other))
            n_same += equal == len(pairs)
            if equal < len(pairs):
                (_, best), (_, second) = one[equal].top
                margins.append(best - second)
                texts_of = f"{one[equal].text!r}, llama.cpp {other[equal].text!r}"
                print(f"{name}: token {equal}: {texts_of}; {margins[-1]:.3f} nats")
    finally:
        await ours.close()
        await theirs.close()
    print(
        f"{model.name}: {n_same} of {len(texts)} texts the same to their ends; {n_equal / n_all:.1%} of {n_all} tokens"
    )
    if margins:
        print(
            f"where they part the two best are {statistics.median(margins):.3f} nats apart (most: {max(margins):.3f})"
        )


def main() -> None:
    """Read the arguments and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--benchmarks", type=Path)
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=48)
    options = parser.parse_args()
    problems = list(load_benchmark("humaneval", directory=options.benchmarks).values())[: options.prompts]
    texts = {problem.task_id: problem.prompt for problem in problems}
    asyncio.run(compare(options.model, texts, options.tokens))


if __name__ == "__main__":
    main()
