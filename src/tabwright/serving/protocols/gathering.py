"""Chunks into whole answers and usage, for protocols that answer at once or count at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from tabwright.sampling import Chunk, Token, Usage

# JSON knows no infinity; this is what OpenAI's API reports for an impossible token.
_LOWEST_LOGPROB = -9999.0


@dataclass(kw_only=True, slots=True)
class Answer:
    """One sample as far as it has come."""

    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)

    def push(self, chunk: Chunk) -> None:
        """Take the sample's next chunk."""
        self.text += chunk.text
        self.tokens += chunk.tokens
        self.finish_reason = chunk.finish_reason or self.finish_reason
        self.usage = chunk.usage or self.usage

    @property
    def mean_logprob(self) -> float:
        """Mean log-probability of its tokens; an empty answer ranks last."""
        if not self.tokens:
            return float("-inf")
        return sum(logprob(token.logprob) for token in self.tokens) / len(self.tokens)


async def gather(chunks: AsyncGenerator[Chunk, None], count: int) -> list[Answer]:
    """Return `count` samples when all are over."""
    answers = [Answer() for _ in range(count)]
    async with aclosing(chunks):
        async for chunk in chunks:
            answers[chunk.index].push(chunk)
    return answers


def total(usages: Iterable[Usage], n: int) -> Usage:
    """Return the usage of a whole request: its `n` samples of each prompt share one reading of it."""
    rows = list(usages)
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in rows[::n]),
        cached_tokens=sum(usage.cached_tokens for usage in rows[::n]),
        completion_tokens=sum(usage.completion_tokens for usage in rows),
    )


def openai_usage(usage: Usage) -> dict[str, Any]:
    """Return usage in OpenAI's shape."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def logprob(value: float) -> float:
    """Return a log-probability that JSON can carry."""
    return max(value, _LOWEST_LOGPROB)
