"""Keys and values of what was read already: a row for each sequence, growing by blocks of positions.

A key stands at the index of its position, so that rows of different lengths need no padding of their own: a query sees
the indices up to its own position, whatever older sequences left behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tabwright.model.config import DecoderConfig

_BLOCK = 256


class Cache:
    """Keys and values of `n_rows` sequences, (rows, kv heads, positions, d_head) for each layer.

    Attributes:
        capacity: positions that there is room for now.
    """

    def __init__(
        self, config: DecoderConfig, n_rows: int, *, dtype: torch.dtype, device: torch.device | str = "cpu"
    ) -> None:
        self._limit = config.context_length
        self.capacity = 0
        n_layers = config.n_layers + config.top_query
        empty = torch.empty((2, n_rows, config.n_kv_heads, 0, config.d_head), dtype=dtype, device=device)
        self._layers = [empty for _ in range(n_layers)]

    @property
    def n_rows(self) -> int:
        """How many sequences there is room for."""
        return self._layers[0].shape[1]

    @property
    def size_bytes(self) -> int:
        """Memory held now."""
        return sum(layer.nbytes for layer in self._layers)

    def reserve(self, n_positions: int) -> None:
        """Make room for so many positions, in whole blocks.

        Raises:
            ValueError: it is more than the context.
        """
        if n_positions > self._limit:
            raise ValueError(f"{n_positions} positions: the context has {self._limit}; ask for fewer")
        if n_positions <= self.capacity:
            return
        # Doubling keeps the copies of a growing sequence few.
        wanted = max(n_positions, min(2 * self.capacity, self._limit))
        self.capacity = min(-(-wanted // _BLOCK) * _BLOCK, self._limit)
        for index, old in enumerate(self._layers):
            shape = (*old.shape[:3], self.capacity, old.shape[4])
            self._layers[index] = old.new_zeros(shape)
            self._layers[index][:, :, :, : old.shape[3]] = old

    def copy_row(self, source: int, target: int, n_positions: int) -> None:
        """Copy the first positions of a row to another."""
        for layer in self._layers:
            layer[:, target, :, :n_positions] = layer[:, source, :, :n_positions]

    def swap_rows(self, one: int, other: int, n_positions: int) -> None:
        """Exchange the first positions of two rows."""
        for layer in self._layers:
            kept = layer[:, one, :, :n_positions].clone()
            layer[:, one, :, :n_positions] = layer[:, other, :, :n_positions]
            layer[:, other, :, :n_positions] = kept

    def reorder(self, sources: Sequence[int], n_positions: int) -> None:
        """Make row i what row `sources[i]` was, in its first positions."""
        for layer in self._layers:
            layer[:, : len(sources), :, :n_positions] = layer[:, list(sources), :, :n_positions]

    def at(self, rows: slice, positions_BT: torch.Tensor, n_positions: int) -> Span:
        """Return the places that one forward pass writes to and sees; there must be room for `n_positions`."""
        rows_B1 = torch.arange(rows.start, rows.stop, device=positions_BT.device).unsqueeze(1)
        return Span(self._layers, rows, rows_B1, positions_BT, n_positions)


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of a cache as one forward pass sees them: it writes at its tokens' positions, and sees the first ones."""

    _layers: list[torch.Tensor]
    _rows: slice
    _rows_B1: torch.Tensor
    _positions_BT: torch.Tensor
    _n_positions: int

    def extend(self, layer: int, key_BTGH: torch.Tensor, value_BTGH: torch.Tensor) -> None:
        """Write keys and values at their positions."""
        both = self._layers[layer]
        both[0][self._rows_B1, :, self._positions_BT] = key_BTGH
        both[1][self._rows_B1, :, self._positions_BT] = value_BTGH

    def read(self, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return views of the first positions' keys and values, (B, G, S, H) each."""
        both = self._layers[layer][:, self._rows, :, : self._n_positions]
        return both[0], both[1]
