"""The decoder: token ids -> logits of the next token, for every family."""

from __future__ import annotations

import torch
from torch import nn

from tabwright.model.attention import Attention, Reach
from tabwright.model.cache import Cache
from tabwright.model.config import DecoderConfig
from tabwright.model.feed_forward import FeedForward
from tabwright.model.norm import NormLayer
from tabwright.model.rope import Rope


class Layer(nn.Module):
    """Attention and feed-forward, each after a norm and added to what came in (pre-norm: Xiong et al. 2020)."""

    def __init__(self, config: DecoderConfig, index: int, rope: Rope | None) -> None:
        super().__init__()
        self.attention_norm = NormLayer(config)
        self.attention = Attention(config, index, rope)
        self.feed_forward_norm = NormLayer(config)
        self.feed_forward = FeedForward(config)

    def forward(self, x_BTD: torch.Tensor, reach: Reach, query_BTD: torch.Tensor | None = None) -> torch.Tensor:
        """Return the layer's output; `query_BTD` asks in the place of the input."""
        memory_BTD = self.attention_norm(x_BTD)
        x_BTD = x_BTD + self.attention(memory_BTD if query_BTD is None else query_BTD, memory_BTD, reach)
        return x_BTD + self.feed_forward(self.feed_forward_norm(x_BTD))  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """A decoder-only transformer, configured to be any of the families.

    Args:
        config: which one.
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self._rope = Rope(config) if config.position == "rotary" else None
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        self.position_embedding = _positions(config) if config.position == "learned" else None
        self.layers = nn.ModuleList(Layer(config, index, self._rope) for index in range(config.n_layers))
        self.final_norm = NormLayer(config)
        self.query_embedding = _positions(config) if config.top_query else None
        self.top_layer = Layer(config, config.n_layers, self._rope) if config.top_query else None
        self.output = nn.Linear(config.d_model, config.vocab_size, bias=False)
        if config.tied_embeddings:
            self.output.weight = self.token_embedding.weight

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.final_norm.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """What the residual stream is computed in."""
        return self.token_embedding.weight.dtype

    def forward(
        self,
        ids_BT: torch.Tensor,
        positions_BT: torch.Tensor | None = None,
        cache: Cache | None = None,
        rows: slice | None = None,
    ) -> torch.Tensor:
        """Return the logits of the token after each one, (B, T, V)."""
        return self.logits(self.states(ids_BT, positions_BT, cache, rows))

    def logits(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Return logits of the last states."""
        return self.output(x_BTD)  # type: ignore[no-any-return]

    def states(
        self,
        ids_BT: torch.Tensor,
        positions_BT: torch.Tensor | None = None,
        cache: Cache | None = None,
        rows: slice | None = None,
        n_shared: int = 0,
    ) -> torch.Tensor:
        """Return the states from which logits are made, (B, T, D).

        Args:
            ids_BT: token ids.
            positions_BT: their positions; None where they begin at 0. In a row they may not fall, and what stands at a
                row's end behind its last token (padding) is not seen by the tokens before it.
            cache: what was read before; what is read now goes there as well.
            rows: the cache's rows, as many as the batch has; the first ones if None.
            n_shared: so many first positions hold the same in all these rows, which saves reading them for each; for
                single tokens on a CPU without an attention window, and not used elsewhere.
        """
        reach = self._reach(ids_BT, positions_BT, cache, rows, n_shared)
        x_BTD = self.token_embedding(ids_BT)
        if self.position_embedding is not None:
            x_BTD = x_BTD + self.position_embedding(reach.positions_BT)
        for layer in self.layers:
            x_BTD = layer(x_BTD, reach)
        x_BTD = self.final_norm(x_BTD)
        if self.top_layer is not None and self.query_embedding is not None:
            x_BTD = self.top_layer(x_BTD, reach, self.query_embedding(reach.positions_BT))
        return x_BTD  # type: ignore[no-any-return]

    def _reach(
        self,
        ids_BT: torch.Tensor,
        positions_BT: torch.Tensor | None,
        cache: Cache | None,
        rows: slice | None,
        n_shared: int,
    ) -> Reach:
        n_rows, n_tokens = ids_BT.shape
        from_start = positions_BT is None
        if positions_BT is None:
            positions_BT = torch.arange(n_tokens, device=ids_BT.device).expand(n_rows, -1)
        n_positions = n_tokens if from_start else int(positions_BT.max()) + 1
        if n_positions > self.config.context_length:
            raise ValueError(f"{n_positions} positions: the context has {self.config.context_length}; ask for fewer")
        if cache is not None:
            cache.reserve(n_positions)
        causal = from_start and not self.config.attention_window
        if n_tokens > 1 or self.config.attention_window or self.device.type != "cpu":
            n_shared = 0
        mask = None if causal else self._mask(positions_BT, n_shared, n_positions)
        return Reach(
            positions_BT=positions_BT,
            angles=self._rope.at(positions_BT, self.dtype) if self._rope else None,
            n_shared=n_shared,
            mask=mask,
            causal=causal,
            cached=cache.at(rows or slice(0, n_rows), positions_BT, n_positions) if cache is not None else None,
        )

    def _mask(self, positions_BT: torch.Tensor, start: int, n_positions: int) -> torch.Tensor | None:
        window = self.config.attention_window
        if positions_BT.shape == (1, 1) and not 0 < window < n_positions:
            return None  # the last token of one sequence sees all
        places_S = torch.arange(start, n_positions, device=positions_BT.device)
        seen_BTS = places_S <= positions_BT.unsqueeze(-1)
        if window:
            seen_BTS &= places_S > positions_BT.unsqueeze(-1) - window
        mask_BTS = torch.zeros(seen_BTS.shape, dtype=self.dtype, device=self.device).masked_fill(~seen_BTS, -torch.inf)
        return mask_BTS.unsqueeze(1)


def _positions(config: DecoderConfig) -> nn.Embedding:
    return nn.Embedding(config.context_length, config.d_model)
