"""The feed-forward block: two linear layers with an activation between them, gated or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional

from tabwright.model.config import Activation, DecoderConfig


def gelu_sigmoid(x: torch.Tensor) -> torch.Tensor:
    """Return x * sigmoid(1.702 x)."""
    return x * torch.sigmoid(1.702 * x)


_ACTIVATIONS: dict[Activation, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": functional.gelu,
    "gelu_tanh": partial(functional.gelu, approximate="tanh"),
    "gelu_sigmoid": gelu_sigmoid,
    "silu": functional.silu,
}


class FeedForward(nn.Module):
    """x -> down(activation(up(x))); where gated, `up` holds the gate's rows and then those that it multiplies."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self._gated = config.gated
        self._activation = _ACTIVATIONS[config.activation]
        bias = config.biases == "all"
        self.up = nn.Linear(config.d_model, config.d_ff * (2 if config.gated else 1), bias=bias)
        self.down = nn.Linear(config.d_ff, config.d_model, bias=bias)

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Return the block's output, of the input's shape."""
        inner_BTF = self.up(x_BTD)
        if not self._gated:
            return self.down(self._activation(inner_BTF))  # type: ignore[no-any-return]
        gate_BTF, value_BTF = inner_BTF.chunk(2, -1)
        return self.down(self._activation(gate_BTF) * value_BTF)  # type: ignore[no-any-return]
