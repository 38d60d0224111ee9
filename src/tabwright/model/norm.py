"""LayerNorm and RMSNorm: torch's own kernels, which compute in fp32 whatever the weights are."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from tabwright.model.config import DecoderConfig


class NormLayer(nn.Module):
    """One normalisation over d_model; the output has the input's dtype.

    References: Ba et al. 2016 (layer), Zhang and Sennrich 2019 (rms). fp32: Zheng et al. 2023 (CodeGeeX), section 2.3.
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self._eps = config.norm_eps
        self._shape = (config.d_model,)
        self.weight = nn.Parameter(torch.ones(config.d_model))
        self.bias = nn.Parameter(torch.zeros(config.d_model)) if config.norm == "layer" else None

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Return the normalised input, of the same shape and dtype."""
        if self.bias is None:
            return functional.rms_norm(x_BTD, self._shape, self.weight, self._eps)
        return functional.layer_norm(x_BTD, self._shape, self.weight, self.bias, self._eps)
