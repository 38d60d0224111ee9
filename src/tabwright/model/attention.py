"""Attention of queries to a memory: one module for every layer of every family.

An ordinary layer gives its own input as both; a top-query layer gives embeddings of positions as its query.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from tabwright.model.cache import Span
from tabwright.model.config import DecoderConfig
from tabwright.model.rope import Angles, Rope

# The kernel behind `scaled_dot_product_attention` on a CPU, which also returns the logarithm of what it divided by.
_FLASH = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """What the tokens of one forward pass see, made once for all layers.

    Attributes:
        positions_BT: each token's position.
        angles: the rotary angles at these positions; None where positions are learned.
        n_shared: so many first positions have the same keys and values in every row, and are read from the first alone.
        mask: (B, 1, T, S) for the positions after those, 0 where a token sees one, else -inf; None where `causal`, or
            where it sees all.
        causal: the tokens are the whole sequence, each sees itself and those before it.
        cached: where keys and values of earlier passes are, and those of this one go; None without a cache.
    """

    positions_BT: torch.Tensor
    angles: Angles | None
    n_shared: int
    mask: torch.Tensor | None
    causal: bool
    cached: Span | None


class Attention(nn.Module):
    """Multi-head attention with grouped keys and values.

    `key_value` holds the rows of all keys and then those of all values.

    References: Vaswani et al. 2017, section 3.2; Ainslie et al. 2023 (grouped queries). The kernel behind
    `scaled_dot_product_attention` sums and normalises in fp32.
    """

    def __init__(self, config: DecoderConfig, index: int, rope: Rope | None) -> None:
        super().__init__()
        self._index = index
        self._rope = rope
        self._heads = (config.n_heads, config.d_head)
        self._kv_heads = (2, config.n_kv_heads, config.d_head)
        bias = config.biases != "none"
        self.query = nn.Linear(config.d_model, config.n_heads * config.d_head, bias=bias)
        self.key_value = nn.Linear(config.d_model, 2 * config.n_kv_heads * config.d_head, bias=bias)
        self.output = nn.Linear(config.n_heads * config.d_head, config.d_model, bias=config.biases == "all")

    def forward(self, x_query_BTD: torch.Tensor, x_memory_BTD: torch.Tensor, reach: Reach) -> torch.Tensor:
        """Return what the queries gather of the memory, (B, T, D)."""
        query_BTNH = self.query(x_query_BTD).unflatten(-1, self._heads)
        key_BTGH, value_BTGH = self.key_value(x_memory_BTD).unflatten(-1, self._kv_heads).unbind(2)
        if self._rope is not None and reach.angles is not None:
            both = self._rope.rotate(torch.cat([query_BTNH, key_BTGH], 2), reach.angles)
            query_BTNH, key_BTGH = both.tensor_split([self._heads[0]], 2)
        key, value = key_BTGH.transpose(1, 2), value_BTGH.transpose(1, 2)
        if reach.cached is not None:
            reach.cached.extend(self._index, key_BTGH, value_BTGH)
            if not reach.causal:
                key, value = reach.cached.read(self._index)
        gathered_BTNH = _attend(query_BTNH, key, value, reach)
        return self.output(gathered_BTNH.flatten(2))  # type: ignore[no-any-return]


def _attend(query_BTNH: torch.Tensor, key: torch.Tensor, value: torch.Tensor, reach: Reach) -> torch.Tensor:
    """Return weighted sums of the values, (B, T, N, H), for keys and values (B, G, S, H)."""
    n_rows, n_tokens, _, d_head = query_BTNH.shape
    if n_tokens == 1:
        # The queries of a group as if they were tokens: they see the same, and nothing is repeated for them.
        query_BGRH = query_BTNH.reshape(n_rows, key.shape[1], -1, d_head)
        if reach.n_shared:
            gathered_BGRH = _attend_sharing(query_BGRH, key, value, reach)
        else:
            gathered_BGRH = functional.scaled_dot_product_attention(query_BGRH, key, value, attn_mask=reach.mask)
        return gathered_BGRH.reshape(query_BTNH.shape)
    gathered_BNTH = functional.scaled_dot_product_attention(
        query_BTNH.transpose(1, 2), key, value, attn_mask=reach.mask, is_causal=reach.causal, enable_gqa=True
    )
    return gathered_BNTH.transpose(1, 2)


def _attend_sharing(query_BGRH: torch.Tensor, key: torch.Tensor, value: torch.Tensor, reach: Reach) -> torch.Tensor:
    """Return the same sums, (B, G, R, H): the shared positions' by one product for the queries of all rows.

    The sums over the two parts of the memory are weighed by what each part's softmax was divided by.

    References: Juravsky et al. 2024 (Hydragen), section 3.1.
    """
    n_rows, n_groups, n_queries, d_head = query_BGRH.shape
    query_GBRH = query_BGRH.transpose(0, 1).contiguous()
    shared, shared_scale = _FLASH(
        query_GBRH.view(1, n_groups, -1, d_head), key[:1, :, : reach.n_shared], value[:1, :, : reach.n_shared]
    )
    own_BGRH, own_scale_BGR = _FLASH(
        query_GBRH.transpose(0, 1), key[:, :, reach.n_shared :], value[:, :, reach.n_shared :], attn_mask=reach.mask
    )
    shared_BGRH = shared.view(n_groups, n_rows, n_queries, d_head).transpose(0, 1)
    shared_scale_BGR = shared_scale.view(n_groups, n_rows, n_queries).transpose(0, 1)
    weight_BGR = torch.sigmoid(shared_scale_BGR - own_scale_BGR).to(own_BGRH.dtype)
    return torch.lerp(own_BGRH, shared_BGRH, weight_BGR.unsqueeze(-1))
