"""Eight and four bits: how far from the whole weights, and that every way of multiplying gives the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.model.conftest import CONFIGS, random_decoder
from torch.nn import functional

from tabwright.model import WeightsError
from tabwright.model.checkpoint import open_checkpoint, save
from tabwright.model.quantised import Bits, QuantisedLinear, quantising

WEIGHT = torch.randn(96, 64, generator=torch.Generator().manual_seed(1)) * 0.1
INPUT = torch.randn(2, 3, 64, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("bits", [8, 4])
def test_a_weight_is_within_half_a_step(bits: Bits) -> None:
    got = QuantisedLinear(WEIGHT, bits, torch.float32).weight()
    groups = WEIGHT.reshape(96, -1, 64 if bits == 8 else 32)
    step = groups.abs().amax(-1) / 127 if bits == 8 else (groups.amax(-1) - groups.amin(-1)) / 15
    error = (got - WEIGHT).reshape(groups.shape).abs().amax(-1)
    assert (error <= 0.501 * step).all()
    assert (error > 0.2 * step).any()


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("n_rows", [1, 31, 33])
def test_the_kernel_gives_what_unpacking_gives(bits: Bits, n_rows: int) -> None:
    rows = torch.randn(n_rows, 64, generator=torch.Generator().manual_seed(3))
    by_kernel = QuantisedLinear(WEIGHT, bits, torch.bfloat16)(rows.bfloat16()).float()
    unpacked = functional.linear(rows, QuantisedLinear(WEIGHT, bits, torch.float32).weight())
    assert (by_kernel - unpacked).norm() / unpacked.norm() < 0.01
    assert (unpacked - functional.linear(rows, WEIGHT)).norm() / unpacked.norm() < {8: 0.01, 4: 0.1}[bits]


@pytest.mark.parametrize("n_inputs", [36, 40, 48, 100, 1000])
@pytest.mark.parametrize("n_rows", [1, 4, 40])
def test_inputs_that_fit_no_block_of_the_kernel(n_inputs: int, n_rows: int) -> None:
    weight, rows = torch.randn(64, n_inputs), torch.randn(n_rows, n_inputs)
    got = QuantisedLinear(weight, 8, torch.bfloat16)(rows.bfloat16()).float()
    expected = functional.linear(rows, weight)
    assert (got - expected).norm() / expected.norm() < 0.02


def test_shapes_and_bias() -> None:
    layer = QuantisedLinear(WEIGHT, 8, torch.float32)
    layer.bias = torch.arange(96.0)
    assert layer(INPUT).shape == (2, 3, 96)
    torch.testing.assert_close(layer(INPUT), functional.linear(INPUT, layer.weight(), layer.bias))


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_weight_that_is_not_finite_is_named(bits: Bits, number: float, tmp_path: Path) -> None:
    decoder = random_decoder(replace(CONFIGS["rotary"], d_ff=64))
    with torch.no_grad():
        decoder.get_parameter("layers.1.feed_forward.down.weight")[3, 5] = number
    save(decoder, tmp_path)
    with pytest.raises(WeightsError, match=r"layers.1.feed_forward.down.weight: has numbers that are not finite"):
        open_checkpoint(tmp_path).load(place=quantising(bits, torch.bfloat16))


def test_inputs_that_make_no_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="inputs: got 48, must be a multiple of 32 for 4 bits"):
        QuantisedLinear(torch.ones(16, 48), 4, torch.float32)


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ["rotary", "interleaved half", "learned", "top query"])
def test_a_quantised_decoder_stays_near(bits: Bits, dtype: torch.dtype, name: str, tmp_path: Path) -> None:
    decoder = random_decoder(replace(CONFIGS[name], d_ff=64))
    save(decoder, tmp_path)
    quantised = open_checkpoint(tmp_path).load(place=quantising(bits, dtype))
    assert not [module for module in quantised.modules() if isinstance(module, torch.nn.Linear)]
    assert {parameter.dtype for parameter in quantised.parameters()} == {dtype}
    assert all(parameter.device.type == "cpu" for parameter in quantised.parameters())
    ids = torch.randint(0, 64, (2, 30), generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        expected, got = decoder(ids), quantised(ids).float()
    assert ((got - expected).norm() / expected.norm()).item() < {8: 0.03, 4: 0.3}[bits]
