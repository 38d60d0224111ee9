"""Logits -> the next token: spelling again, temperature, top-k, top-p, seeds; greedy where the temperature is 0.

Log-probabilities are those of the model itself, before anything is cut.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tabwright.sampling.engine import SamplingOptions

_LAST = b"\xff" * 64


class Spelling:
    """Which tokens can come next where a text must be spelt again.

    Args:
        pieces: the bytes of each token, by id; special ones have none.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        ordered = sorted((piece, token) for token, piece in enumerate(pieces) if piece)
        self._pieces = [piece for piece, _ in ordered]
        self._tokens = [token for _, token in ordered]

    def allowed(self, text: bytes) -> list[int]:
        """Return the tokens that begin with `text`, and those with which it begins."""
        start, end = bisect_left(self._pieces, text), bisect_left(self._pieces, text + _LAST)
        found = self._tokens[start:end]
        for length in range(1, len(text)):
            at = bisect_left(self._pieces, text[:length])
            while at < len(self._pieces) and self._pieces[at] == text[:length]:
                found.append(self._tokens[at])
                at += 1
        return found


@dataclass(frozen=True, slots=True)
class Choice:
    """A token, its log-probability, and the most probable ones with theirs."""

    token: int
    logprob: float
    top: tuple[tuple[int, float], ...]


class Chooser:
    """Draws the tokens of one sample.

    Args:
        options: how.
        index: which of the request's samples it is: drawn with the seed plus this.
        respell: what must be spelt first.
        spelling: the tokenizer's.
    """

    def __init__(self, options: SamplingOptions, index: int, respell: bytes, spelling: Spelling) -> None:
        self._options = options
        self._left = respell
        self._spelling = spelling
        self._generator = torch.Generator()
        if options.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed(options.seed + index)

    def choose(self, logits_V: torch.Tensor, pieces: Sequence[bytes]) -> Choice:
        """Return the next token.

        Args:
            logits_V: in fp32, on the CPU.
            pieces: the bytes of each token.
        """
        normaliser = torch.logsumexp(logits_V, 0)
        choosable = logits_V
        if self._left:
            choosable = torch.full_like(logits_V, -torch.inf)
            allowed = torch.tensor(self._spelling.allowed(self._left))
            choosable[allowed] = logits_V[allowed]
        token = int(choosable.argmax()) if self._options.temperature == 0 else self._draw(choosable)
        self._left = self._left[len(pieces[token]) :]
        top: tuple[tuple[int, float], ...] = ()
        if self._options.top_logprobs:
            best = torch.topk(logits_V, min(self._options.top_logprobs, len(logits_V)))
            values = (best.values - normaliser).tolist()
            top = tuple(zip(best.indices.tolist(), values, strict=True))
        return Choice(token, float(logits_V[token] - normaliser), top)

    def _draw(self, logits_V: torch.Tensor) -> int:
        """Draw from the tempered distribution, cut by top-k and then by top-p (Holtzman et al. 2020, section 3.1)."""
        options = self._options
        probabilities = torch.softmax(logits_V / options.temperature, 0)
        ordered, tokens = torch.sort(probabilities, descending=True)
        if options.top_k:
            ordered, tokens = ordered[: options.top_k], tokens[: options.top_k]
            ordered = ordered / ordered.sum()
        if options.top_p < 1:
            before = torch.cumsum(ordered, 0) - ordered
            kept = max(int((before < options.top_p).sum()), 1)
            ordered, tokens = ordered[:kept], tokens[:kept]
        return int(tokens[torch.multinomial(ordered, 1, generator=self._generator)])
