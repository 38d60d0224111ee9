"""Weight-only quantisation: linear layers whose weights are kept in 8 or 4 bits. What they compute with is not.

Eight bits have one scale for each row, four a scale and an offset for each group of 32 inputs. On a CPU and in bfloat16
torch's own kernels multiply packed weights; elsewhere a weight is unpacked, used and forgotten.

References: Dettmers et al. 2022, section 2.1 (absmax for each row); Zheng et al. 2023 (CodeGeeX), section 2.4 (INT8);
Frantar et al. 2022, section 4 (groups), by rounding to the nearest.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn import functional

from tabwright.model.config import WeightsError
from tabwright.model.decoder import Decoder
from tabwright.model.weights.transfer import Place, put

Bits = Literal[4, 8]

_GROUP = 32
# Above so many rows it is faster to unpack eight bits first.
_MOST_ROWS = 32
# Elements of a weight that are quantised at once, in whole blocks of rows as the kernel packs them.
_CHUNK, _PACKED_ROWS = 1 << 20, 64


class QuantisedLinear(nn.Module):
    """y = W x + b, with a packed W.

    Args:
        weight: (outputs, inputs).
        bits: 4 or 8.
        dtype: of scales, bias and of what comes in and goes out.

    Raises:
        ValueError: four bits, and the inputs are no multiple of 32.
    """

    def __init__(self, weight: torch.Tensor, bits: Bits, dtype: torch.dtype) -> None:
        super().__init__()
        if bits == 4 and weight.shape[1] % _GROUP:
            raise ValueError(f"inputs: got {weight.shape[1]}, must be a multiple of {_GROUP} for 4 bits")
        self._bits = bits
        self._shape = tuple(weight.shape)
        # The kernels look at whole blocks of both, and read beyond what is smaller.
        fits = weight.shape[0] % 16 == 0 and weight.shape[1] % _GROUP == 0
        self._has_kernel = weight.device.type == "cpu" and dtype == torch.bfloat16 and fits
        self.bias: torch.Tensor | None
        self.packed: torch.Tensor
        self.scales: torch.Tensor
        self.register_buffer("bias", None)
        packed, scales = self._quantise(weight, dtype)
        self.register_buffer("packed", packed)
        self.register_buffer("scales", scales.permute(1, 0, 2).contiguous() if bits == 4 else scales)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return W x + b for (..., inputs)."""
        rows = x.reshape(-1, self._shape[1])
        if self._has_kernel and self._bits == 4:
            out = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self.packed, _GROUP, self.scales)
        elif self._has_kernel and len(rows) <= _MOST_ROWS:
            out = torch._weight_int8pack_mm(rows, self.packed, self.scales)
        else:
            out = functional.linear(rows, self.weight())
        out = out if self.bias is None else out + self.bias
        return out.reshape(*x.shape[:-1], self._shape[0])  # type: ignore[no-any-return]

    def weight(self) -> torch.Tensor:
        """Return the unpacked weight, (outputs, inputs); not of one that torch has packed for its own kernel.

        Raises:
            ValueError: it is packed so.
        """
        if self._bits == 8:
            return self.packed.to(self.scales.dtype) * self.scales.unsqueeze(1)
        if self._has_kernel:
            raise ValueError("the weight is packed for a kernel, and cannot be unpacked")
        numbers = torch.stack([self.packed >> 4, self.packed & 15], -1).flatten(1)
        scale, offset = self.scales.permute(1, 0, 2).unsqueeze(2).unbind(-1)
        grouped = numbers.reshape(self._shape[0], -1, _GROUP).to(self.scales.dtype) - 8
        return (grouped * scale + offset).flatten(1)

    def _quantise(self, weight: torch.Tensor, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        """Return packed numbers and scales, made by small chunks: a large weight has no whole copy on the way."""
        n_rows = max(_CHUNK // weight.shape[1] // _PACKED_ROWS, 1) * _PACKED_ROWS
        whole: list[torch.Tensor] = []
        for start in range(0, len(weight), n_rows):
            parts = self._quantise_rows(weight[start : start + n_rows].float())
            whole = whole or [
                torch.empty((len(weight), *part.shape[1:]), dtype=kind, device=part.device)
                for part, kind in zip(parts, (parts[0].dtype, dtype), strict=True)
            ]
            for target, part in zip(whole, parts, strict=True):
                target[start : start + n_rows] = part
        return whole[0], whole[1]

    def _quantise_rows(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self._bits == 8:
            return _eight_bits(rows)
        numbers, scales = _four_bits(rows)
        if self._has_kernel:
            return torch.ops.aten._convert_weight_to_int4pack_for_cpu(numbers.to(torch.int32), 1), scales
        return (numbers[:, ::2] << 4) | numbers[:, 1::2], scales


def quantising(bits: Bits, dtype: torch.dtype, device: torch.device | str = "cpu") -> Place:
    """Return what `Checkpoint.load` does with each weight: linear layers are quantised, all else is kept as `dtype`.

    It raises a `WeightsError` where a weight is not finite.
    """

    def quantise(name: str, weight: torch.Tensor) -> QuantisedLinear:
        module = QuantisedLinear(weight, bits, dtype)
        if not torch.isfinite(module.scales).all():
            raise WeightsError(f"{name}: has numbers that are not finite; download the file again")
        return module

    def place(decoder: Decoder, name: str, tensor: torch.Tensor) -> None:
        owner = name.rpartition(".")[0]
        module = decoder.get_submodule(owner)
        tensor = tensor.to(device)
        if isinstance(module, QuantisedLinear):
            module.bias = tensor.to(dtype)
        elif isinstance(module, nn.Linear):
            _replace(decoder, owner, quantise(name, tensor))
        else:
            put(decoder, name, tensor.to(dtype))
            if decoder.config.tied_embeddings and owner == "token_embedding":
                _replace(decoder, "output", quantise(name, tensor))

    return place


def _replace(decoder: Decoder, name: str, module: nn.Module) -> None:
    owner, _, leaf = name.rpartition(".")
    setattr(decoder.get_submodule(owner), leaf, module)


def _eight_bits(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    scale = weight.abs().amax(1).clamp(min=1e-8) / 127
    return (weight / scale.unsqueeze(1)).round().clamp(-127, 127).to(torch.int8), scale


def _four_bits(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return numbers from 0 to 15, and for each group its scale and what number 8 stands for."""
    groups = weight.reshape(len(weight), -1, _GROUP)
    lowest, highest = groups.amin(-1, keepdim=True), groups.amax(-1, keepdim=True)
    scale = ((highest - lowest) / 15).clamp(min=1e-8)
    numbers = ((groups - lowest) / scale).round().clamp(0, 15).to(torch.uint8)
    return numbers.flatten(1), torch.cat([scale, lowest + 8 * scale], -1)
