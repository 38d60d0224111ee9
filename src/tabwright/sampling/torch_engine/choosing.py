"""Logits -> the next token: temperature, top-k, top-p, seeds; greedy where the temperature is 0.

What must be spelt again is chosen at once (`respelling.py`). Log-probabilities are those of the model itself, before
anything is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tabwright.sampling.engine import SamplingOptions
from tabwright.sampling.torch_engine.respelling import Respellings


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
        respellings: how its first tokens may spell what was taken back; None where nothing was.
    """

    def __init__(self, options: SamplingOptions, index: int, respellings: Respellings | None) -> None:
        self._options = options
        self._generator = torch.Generator()
        if options.seed is None:
            self._generator.seed()
        else:
            self._generator.manual_seed((options.seed + index) % 2**64)
        self._path: list[int] = []
        if respellings:
            drawn = None if options.is_greedy else self._draw(respellings.logprobs)
            self._path = respellings.likeliest() if drawn is None else respellings.path(drawn)

    def choose(self, logits_V: torch.Tensor) -> Choice:
        """Return the next token, by logits in fp32 on the CPU."""
        normaliser = torch.logsumexp(logits_V, 0)
        if self._path:
            token = self._path.pop(0)
        else:
            token = int(logits_V.argmax()) if self._options.is_greedy else self._draw(logits_V)
        top: tuple[tuple[int, float], ...] = ()
        if self._options.top_logprobs:
            best = torch.topk(logits_V, min(self._options.top_logprobs, len(logits_V)))
            values = (best.values - normaliser).tolist()
            top = tuple(zip(best.indices.tolist(), values, strict=True))
        return Choice(token, float(logits_V[token] - normaliser), top)

    def _draw(self, logits_V: torch.Tensor) -> int:
        """Draw from the tempered distribution, cut by top-k and then by top-p (Holtzman et al. 2020, section 3.1)."""
        options = self._options
        # The greatest is taken off first, as a small temperature makes numbers that fp32 has not.
        probabilities = torch.softmax((logits_V - logits_V.max()) / options.temperature, 0)
        ordered, tokens = torch.sort(probabilities, descending=True)
        if options.top_k:
            ordered, tokens = ordered[: options.top_k], tokens[: options.top_k]
            ordered = ordered / ordered.sum()
        if options.top_p < 1:
            before = torch.cumsum(ordered, 0) - ordered
            kept = max(int((before < options.top_p).sum()), 1)
            ordered, tokens = ordered[:kept], tokens[:kept]
        return int(tokens[torch.multinomial(ordered, 1, generator=self._generator)])
