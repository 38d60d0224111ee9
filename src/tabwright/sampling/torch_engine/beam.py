"""Beam search: the most probable continuations, several at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch

from tabwright.model.cache import Cache
from tabwright.model.decoder import Decoder


@dataclass(frozen=True, slots=True)
class Beam:
    """One continuation.

    Attributes:
        ids: its tokens, the one that ends it among them.
        logprob: the sum of their log-probabilities, in nats.
        score: that, divided by the number of tokens to the power of the length penalty.
        ended: whether the model ended it.
    """

    ids: list[int]
    logprob: float
    score: float
    ended: bool


@torch.inference_mode()
def beam_search(
    decoder: Decoder,
    ids: Sequence[int],
    *,
    width: int,
    max_tokens: int,
    ends: Collection[int] = (),
    length_penalty: float = 1.0,
    n_best: int = 1,
) -> list[Beam]:
    """Return the best continuations of a prompt, best first.

    Args:
        decoder: the model.
        ids: the prompt.
        width: continuations kept at each step.
        max_tokens: the most tokens of one.
        ends: tokens that end one.
        length_penalty: above 0 it favours longer ones, as log-probabilities are negative; 0 compares sums.
        n_best: how many to return, at most `width`.

    Raises:
        ValueError: a number is out of range.

    References: Sutskever et al. 2014, section 3.2; the penalty is a power of the length, as in Hugging Face's library.
    """
    if not 1 <= n_best <= width:
        raise ValueError(f"n_best: got {n_best}, must be from 1 to width = {width}")
    if max_tokens < 1:
        raise ValueError(f"max_tokens: got {max_tokens}, must be at least 1")
    cache = Cache(decoder.config, width, dtype=decoder.dtype, device=decoder.device)
    logits_V = decoder(torch.tensor([list(ids)], device=decoder.device), cache=cache, rows=slice(0, 1))[0, -1]
    alive: list[tuple[list[int], float]] = [([], 0.0)]
    logprobs = torch.log_softmax(logits_V.float(), -1).unsqueeze(0)
    finished: list[Beam] = []
    for n_tokens in range(1, max_tokens + 1):
        parents, alive, ended = _extend(alive, logprobs, width, ends)
        finished += [Beam(made, logprob, logprob / n_tokens**length_penalty, True) for made, logprob in ended]
        finished = sorted(finished, key=lambda beam: -beam.score)[:width]
        if not alive or _is_settled(finished, alive, width, n_tokens, max_tokens, length_penalty):
            break
        if n_tokens < max_tokens:
            cache.reorder(parents, len(ids) + n_tokens - 1)
            logprobs = _step(decoder, cache, [made[-1] for made, _ in alive], len(ids) + n_tokens - 1)
    else:
        finished += [Beam(made, logprob, logprob / len(made) ** length_penalty, False) for made, logprob in alive]
    return sorted(finished, key=lambda beam: -beam.score)[:n_best]


def _extend(
    alive: list[tuple[list[int], float]], logprobs: torch.Tensor, width: int, ends: Collection[int]
) -> tuple[list[int], list[tuple[list[int], float]], list[tuple[list[int], float]]]:
    """Return the rows from which those that go on come, those that go on, and those that have ended."""
    sums = torch.tensor([logprob for _, logprob in alive], device=logprobs.device).unsqueeze(1) + logprobs
    # Each may end in one way for each end token; so many more are looked at that `width` go on in any case.
    best = torch.topk(sums.flatten(), min(width * (1 + len(ends)), sums.numel()))
    parents: list[int] = []
    going: list[tuple[list[int], float]] = []
    ended: list[tuple[list[int], float]] = []
    for rank, (logprob, place) in enumerate(zip(best.values.tolist(), best.indices.tolist(), strict=True)):
        parent, token = divmod(place, logprobs.shape[1])
        made = [*alive[parent][0], token]
        if token in ends:
            if rank < width:  # one that ends must be among the best, as one that goes on
                ended.append((made, logprob))
        elif len(going) < width:
            parents.append(parent)
            going.append((made, logprob))
    return parents, going, ended


def _is_settled(
    finished: list[Beam],
    alive: list[tuple[list[int], float]],
    width: int,
    n_tokens: int,
    max_tokens: int,
    length_penalty: float,
) -> bool:
    """Whether nothing that still goes on can become better than what has ended."""
    if len(finished) < width:
        return False
    longest = max_tokens if length_penalty > 0 else n_tokens
    best: float = max(logprob for _, logprob in alive) / longest**length_penalty
    return best <= finished[-1].score


def _step(decoder: Decoder, cache: Cache, tokens: list[int], place: int) -> torch.Tensor:
    ids_BT = torch.tensor(tokens, device=decoder.device).unsqueeze(1)
    logits = decoder(ids_BT, torch.full_like(ids_BT, place), cache, slice(0, len(tokens)))
    return torch.log_softmax(logits[:, -1].float(), -1)
