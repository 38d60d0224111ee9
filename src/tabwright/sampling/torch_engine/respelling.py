"""The ways in which a text that was taken back can be spelt again: whole paths of tokens, with their probabilities.

Token by token, a likely first token may lead to where only unlikely ones spell the rest: for `):` a model that would
write `) ->` takes `)`, and must then go on with a token that begins with a colon. So what a token may lead to counts.
"""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

_LAST = b"\xff" * 64
# A beginning is looked into if it may hold this share of all that is found, and at most so many are.
_SHARE = 0.02
_MOST_LOOKS = 4


class Spelling:
    """Which tokens can come next where a text must be spelt again.

    Args:
        pieces: the bytes of each token, by id; special ones have none.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        ordered = sorted((piece, token) for token, piece in enumerate(pieces) if piece)
        self._pieces = [piece for piece, _ in ordered]
        self._tokens = [token for _, token in ordered]

    def whole(self, text: bytes) -> list[int]:
        """Return the tokens that begin with `text`."""
        return self._tokens[bisect_left(self._pieces, text) : bisect_left(self._pieces, text + _LAST)]

    def parts(self, text: bytes) -> list[tuple[int, bytes]]:
        """Return the tokens with which `text` begins and goes on, and what is left of it after each."""
        found = []
        for length in range(1, len(text)):
            at = bisect_left(self._pieces, text[:length])
            while at < len(self._pieces) and self._pieces[at] == text[:length]:
                found.append((self._tokens[at], text[length:]))
                at += 1
        return found


@dataclass(frozen=True, slots=True)
class Respellings:
    """Paths of tokens that spell a text, each with a last token that may go beyond it.

    Attributes:
        logprobs: of all paths, joint.
        groups: the tokens before the last one, and the last tokens of all paths that begin so, in the same order.
    """

    logprobs: torch.Tensor
    groups: tuple[tuple[tuple[int, ...], list[int]], ...]

    def likeliest(self) -> list[int]:
        """Return the path that greedy decoding takes: always the token whose paths are the likeliest together."""
        sizes = [len(lasts) for _, lasts in self.groups]
        parts = list(zip(self.groups, torch.split(self.logprobs, sizes), strict=True))
        path: tuple[int, ...] = ()
        while True:
            masses: dict[int, float] = {}
            last, best = -1, -math.inf
            for (before, lasts), logprobs in parts:
                if before == path:
                    last, best = lasts[int(logprobs.argmax())], float(logprobs.max())
                elif before[: len(path)] == path:
                    token = before[len(path)]
                    masses[token] = masses.get(token, 0.0) + float(logprobs.exp().sum())
            likely = max(masses, key=lambda token: masses[token], default=-1)
            if last >= 0 and (likely < 0 or masses[likely] <= math.exp(best)):
                return [*path, last]
            path = (*path, likely)

    def path(self, number: int) -> list[int]:
        """Return the tokens of a path."""
        for before, lasts in self.groups:
            if number < len(lasts):
                return [*before, lasts[number]]
            number -= len(lasts)
        raise IndexError(f"no path {number}")


def respellings(
    text: bytes,
    spelling: Spelling,
    logits_V: torch.Tensor,
    look: Callable[[Sequence[int]], torch.Tensor | None],
) -> Respellings:
    """Find the likely ways to spell a text, by looking into the likeliest beginning each time.

    Args:
        text: what was taken back.
        spelling: the tokenizer's.
        logits_V: after the prompt.
        look: gives the logits after some more tokens; None where they have no room.

    Raises:
        ValueError: no tokens spell it.
    """
    groups: list[tuple[tuple[int, ...], list[int]]] = []
    logprobs: list[torch.Tensor] = []
    least = -math.inf
    waiting: list[tuple[float, tuple[int, ...], bytes]] = []
    here: tuple[float, tuple[int, ...], bytes] = (0.0, (), text)
    after: torch.Tensor | None = logits_V
    for n_looks in range(_MOST_LOOKS + 1):
        if after is not None:
            joint_V = torch.log_softmax(after, -1) - here[0]
            if lasts := spelling.whole(here[2]):
                groups.append((here[1], lasts))
                logprobs.append(joint_V[torch.tensor(lasts)])
                least = float(torch.cat(logprobs).logsumexp(0)) + math.log(_SHARE)
            for token, left in spelling.parts(here[2]):
                heapq.heappush(waiting, (-float(joint_V[token]), (*here[1], token), left))
        if n_looks == _MOST_LOOKS or not waiting or -waiting[0][0] < least:
            break
        here = heapq.heappop(waiting)
        after = look(here[1])
    if not groups:
        raise ValueError(f"no tokens spell {text!r}")
    return Respellings(torch.cat(logprobs), tuple(groups))
