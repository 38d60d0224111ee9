"""Repeatability: greedy answers got alone beside those got four at once, by their tokens and log-probabilities.

Reads HumanEval's prompts as text. Short prompts are cut to fit one step of reading; whole ones are read in several,
whose borders move when other prompts are read beside them.

    python benchmarks/repeatability.py --benchmarks DIR [--model smollm2-135m] [--problems 24] [--tokens 24]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Sequence
from pathlib import Path

from tabwright.evaluation import load_benchmark
from tabwright.sampling import SamplingOptions, TextPrompt, Token
from tabwright.sampling.llamacpp import LlamaCppConfig, LlamaCppEngine
from tabwright.sampling.models import pull

_SHORT_CHARACTERS = 200


async def answer(engine: LlamaCppEngine, text: str, n_tokens: int) -> list[Token]:
    """Return the tokens of a greedy completion."""
    options = SamplingOptions(max_tokens=n_tokens)
    return [token async for chunk in engine.generate(TextPrompt(text=text), options) for token in chunk.tokens]


def report(name: str, first: Sequence[Sequence[Token]], second: Sequence[Sequence[Token]]) -> None:
    """Print how many answers differ, and the differences of log-probability up to the first differing token."""
    n_unlike, differences = 0, []
    for one, other in zip(first, second, strict=True):
        for a, b in zip(one, other, strict=False):
            if a.text != b.text:
                n_unlike += 1
                break
            differences.append(abs(a.logprob - b.logprob))
    median, most = statistics.median(differences), max(differences)
    print(f"{name:34} {n_unlike} of {len(first)} answers differ; log-probability: median {median:.4f}, most {most:.4f}")


async def measure(options: argparse.Namespace) -> None:
    """Ask for every answer alone, alone again, and all at once."""
    problems = load_benchmark("humaneval", directory=options.benchmarks).values()
    prompts = [problem.prompt for problem in problems][: options.problems]
    model = pull(options.model)
    config = LlamaCppConfig(path=model.path, name=model.name, slots=4, context_length=2048)
    engine = await LlamaCppEngine.start(config)
    try:
        for kind, texts in (("short", [text[-_SHORT_CHARACTERS:] for text in prompts]), ("whole", prompts)):
            alone = [await answer(engine, text, options.tokens) for text in texts]
            again = [await answer(engine, text, options.tokens) for text in texts]
            together = await asyncio.gather(*(answer(engine, text, options.tokens) for text in texts))
            report(f"{kind} prompts, alone twice", alone, again)
            report(f"{kind} prompts, four at once", alone, together)
    finally:
        await engine.close()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmarks", type=Path, help="folder with HumanEval.jsonl.gz")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--problems", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=24)
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
