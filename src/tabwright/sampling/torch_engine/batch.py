"""Sequences of different lengths, decoded together: rows of one cache, those at work first.

A row that has ended keeps what it read, so that a prompt which begins alike need not be read again, and what
all rows at work begin with is read once for all of them. Prompts are read in pieces, between the tokens of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from tabwright.model.cache import Cache
from tabwright.model.decoder import Decoder

_PIECE = 256
_WORTH_SHARING = 1024  # positions that need not be read: below that, two parts of attention take longer than one


@dataclass(slots=True, eq=False)
class Row:
    """One row of the cache.

    Attributes:
        ids: the tokens whose keys and values are in it.
        wanted: the prompt's tokens that are not in it yet.
        n_reused: how many of a prompt's tokens were there already.
    """

    ids: list[int] = field(default_factory=list)
    wanted: list[int] = field(default_factory=list)
    n_reused: int = 0


class Batch:
    """The rows of one decoder.

    Args:
        decoder: the model.
        n_rows: how many sequences there may be at once.
    """

    def __init__(self, decoder: Decoder, n_rows: int) -> None:
        self._decoder = decoder
        self._cache = Cache(decoder.config, n_rows, dtype=decoder.dtype, device=decoder.device)
        self._rows = [Row() for _ in range(n_rows)]
        self._n_active = 0
        self._n_shared = 0

    @property
    def active(self) -> list[Row]:
        """The rows at work, in the order in which `step` takes and gives."""
        return self._rows[: self._n_active]

    @property
    def n_free(self) -> int:
        """How many more sequences can begin."""
        return len(self._rows) - self._n_active

    def begin(self, ids: Sequence[int]) -> Row:
        """Take the free row that holds the longest beginning of a prompt; `read` reads the rest into it.

        One prompt is read at a time: the next may begin once this one is `join`ed, or given up.
        """
        free = range(len(self._rows) - 1, self._n_active - 1, -1)  # the longest unused among equals
        best = max(free, key=lambda at: _common(self._rows[at].ids, ids))
        row = self._rows[best]
        # The last token is read again in any case: its state is needed.
        row.n_reused = min(_common(row.ids, ids), len(ids) - 1)
        row.wanted = list(ids[row.n_reused :])
        del row.ids[row.n_reused :]
        return row

    @torch.inference_mode()
    def read(self, row: Row) -> torch.Tensor | None:
        """Read one more piece of a prompt; return the logits after its last token, (V,), once all of it is read."""
        piece, row.wanted = row.wanted[:_PIECE], row.wanted[_PIECE:]
        at = self._rows.index(row)
        start = len(row.ids)
        positions_BT = None if start == 0 else torch.arange(start, start + len(piece)).unsqueeze(0)
        x_BTD = self._states([piece], positions_BT, slice(at, at + 1))
        row.ids += piece
        return None if row.wanted else self._logits(x_BTD[:, -1:])[0]

    @torch.inference_mode()
    def look(self, row: Row, tokens: Sequence[int]) -> torch.Tensor | None:
        """Return the logits after a read prompt and some more tokens, which do not stay; None without room for them."""
        at, start = self._rows.index(row), len(row.ids)
        if start + len(tokens) > self._decoder.config.context_length:
            return None
        positions_BT = torch.arange(start, start + len(tokens)).unsqueeze(0)
        return self._logits(self._states([list(tokens)], positions_BT, slice(at, at + 1))[:, -1:])[0]

    @torch.inference_mode()
    def join(self, row: Row, copies: int = 0) -> list[Row]:
        """Put a row whose prompt is read among those at work, with so many copies; return all of them."""
        joined: list[Row] = []
        for _ in range(copies + 1):
            target = self._rows[self._n_active]
            if not joined:
                self._swap(self._rows.index(row), self._n_active)
                target = row
            else:
                self._cache.copy_row(self._rows.index(row), self._n_active, len(row.ids))
                target.ids, target.n_reused = list(row.ids), row.n_reused
            self._n_active += 1
            joined.append(target)
        self._share()
        return joined

    @torch.inference_mode()
    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Add one token to each row at work; return the logits after it, (rows, V), in fp32 on the CPU."""
        active = self.active
        places = torch.tensor([[len(row.ids)] for row in active])
        x_BTD = self._states([[token] for token in tokens], places, slice(0, len(active)), self._n_shared)
        for row, token in zip(active, tokens, strict=True):
            row.ids.append(token)
        return self._logits(x_BTD)

    @torch.inference_mode()
    def end(self, row: Row) -> None:
        """Take a row from those at work; what it has read stays."""
        at = self._rows.index(row)
        if at < self._n_active:
            self._n_active -= 1
            self._swap(at, self._n_active)
            self._share()

    def _share(self) -> None:
        """Find how all rows at work begin alike; what is short is not worth the two parts of attention."""
        first, *others = [row.ids for row in self.active] or [[]]
        n_shared = min((_common(first, ids) for ids in others), default=0)
        self._n_shared = n_shared if n_shared * len(others) >= _WORTH_SHARING else 0

    def _states(
        self, ids: list[list[int]], positions_BT: torch.Tensor | None, rows: slice, n_shared: int = 0
    ) -> torch.Tensor:
        device = self._decoder.device
        if positions_BT is not None:
            positions_BT = positions_BT.to(device)
        return self._decoder.states(torch.tensor(ids, device=device), positions_BT, self._cache, rows, n_shared)

    def _logits(self, x_BTD: torch.Tensor) -> torch.Tensor:
        return self._decoder.logits(x_BTD)[:, -1].float().cpu()

    def _swap(self, one: int, other: int) -> None:
        if one == other:
            return
        first, second = self._rows[one], self._rows[other]
        self._cache.swap_rows(one, other, max(len(first.ids), len(second.ids)))
        self._rows[one], self._rows[other] = second, first


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    length = min(len(first), len(second))
    return next((at for at in range(length) if first[at] != second[at]), length)
