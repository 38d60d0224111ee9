"""Rotary position embeddings: positions -> cosines and sines -> rotated queries and keys."""

from __future__ import annotations

import torch

from tabwright.model.config import DecoderConfig

Angles = tuple[torch.Tensor, torch.Tensor]


class Rope:
    """The table of one configuration, in fp32, on the device where it is asked for.

    References: Su et al. 2021, section 3.4.2; for the scalings see `DecoderConfig`.
    """

    def __init__(self, config: DecoderConfig) -> None:
        self._interleaved = config.rope_interleaved
        self._d_rope = config.d_rope
        theta, step = config.rope_theta, 1.0
        if config.rope_scaling == "ntk":
            theta *= config.rope_factor ** (self._d_rope / (self._d_rope - 2))
        elif config.rope_scaling == "linear":
            step = 1 / config.rope_factor
        exponents = torch.arange(0, self._d_rope, 2, dtype=torch.float32, device="cpu") / self._d_rope
        places = torch.arange(config.context_length, dtype=torch.float32, device="cpu") * step
        self._angles = torch.outer(places, 1.0 / theta**exponents)
        self._tables: dict[tuple[torch.device, torch.dtype], Angles] = {}

    def at(self, positions_BT: torch.Tensor, dtype: torch.dtype) -> Angles:
        """Return cosines and sines at those positions, (B, T, 1, d_rope) each, in pairs as the layout has them."""
        key = (positions_BT.device, dtype)
        if key not in self._tables:
            angles = self._angles.to(positions_BT.device)
            spread = angles.repeat_interleave(2, -1) if self._interleaved else torch.cat([angles, angles], -1)
            self._tables[key] = spread.cos().to(dtype), spread.sin().to(dtype)
        cos, sin = self._tables[key]
        return cos[positions_BT].unsqueeze(2), sin[positions_BT].unsqueeze(2)

    def rotate(self, x_BTNH: torch.Tensor, angles: Angles) -> torch.Tensor:
        """Rotate the first d_rope elements of each head."""
        cos, sin = angles
        rotated, rest = x_BTNH[..., : self._d_rope], x_BTNH[..., self._d_rope :]
        if self._interleaved:
            pairs = rotated.reshape(*rotated.shape[:-1], -1, 2)
            turned = torch.stack([-pairs[..., 1], pairs[..., 0]], -1).flatten(-2)
        else:
            first, second = rotated.chunk(2, -1)
            turned = torch.cat([-second, first], -1)
        out = torch.addcmul(rotated * cos, turned, sin)
        return torch.cat([out, rest], -1) if rest.shape[-1] else out
