"""Rotary position embeddings: positions -> cosines and sines -> rotated queries and keys."""

from __future__ import annotations

import torch

from tabwright.model.config import DecoderConfig

Angles = tuple[torch.Tensor, torch.Tensor]


class Rope:
    """The frequencies of one configuration, in fp32, on the device where they are asked for.

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
        frequencies = 1.0 / theta**exponents
        spread = frequencies.repeat_interleave(2) if self._interleaved else torch.cat([frequencies, frequencies])
        self._step = step
        self._frequencies = {torch.device("cpu"): spread}

    def at(self, positions_BT: torch.Tensor, dtype: torch.dtype) -> Angles:
        """Return cosines and sines at those positions, (B, T, 1, d_rope) each, in pairs as the layout has them."""
        device = positions_BT.device
        if device not in self._frequencies:
            self._frequencies[device] = self._frequencies[torch.device("cpu")].to(device)
        places_BT11 = (positions_BT.float() * self._step)[..., None, None]
        angles = places_BT11 * self._frequencies[device]
        return angles.cos().to(dtype), angles.sin().to(dtype)

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
