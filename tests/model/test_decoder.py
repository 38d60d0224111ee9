"""Cached decoding is a full pass, a batch is its rows alone, and half precision stays within a stated error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from tests.model.conftest import CONFIGS, random_decoder

from tabwright.model.cache import Cache
from tabwright.model.decoder import Decoder

IDS = torch.randint(0, 64, (3, 40), generator=torch.Generator().manual_seed(3))


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def test_one_token_after_the_other_is_a_full_pass(decoder: Decoder) -> None:
    full = decoder(IDS[:1])
    cache = Cache(decoder.config, 1, dtype=torch.float32)
    steps = [decoder(IDS[:1, :7], cache=cache)]
    steps += [decoder(IDS[:1, place : place + 1], torch.tensor([[place]]), cache) for place in range(7, 40)]
    torch.testing.assert_close(torch.cat(steps, 1), full, atol=1e-5, rtol=0)


def test_a_prompt_in_pieces_is_a_full_pass(decoder: Decoder) -> None:
    full = decoder(IDS[:1])
    cache = Cache(decoder.config, 1, dtype=torch.float32)
    pieces = [decoder(IDS[:1, :11], cache=cache)]
    pieces += [decoder(IDS[:1, a:b], torch.arange(a, b)[None], cache) for a, b in ((11, 12), (12, 30), (30, 40))]
    torch.testing.assert_close(torch.cat(pieces, 1), full, atol=1e-5, rtol=0)


def test_rows_of_different_lengths_are_each_row_alone(decoder: Decoder) -> None:
    lengths = [40, 13, 25]
    cache = Cache(decoder.config, 3, dtype=torch.float32)
    padded = torch.zeros(3, 40, dtype=torch.long)
    for row, length in enumerate(lengths):
        padded[row, :length] = IDS[row, :length]
    batch = decoder(padded, cache=cache)
    more = torch.tensor([[1], [2], [3]])
    after = decoder(more, torch.tensor(lengths).unsqueeze(1), cache)
    for row, length in enumerate(lengths):
        alone = decoder(torch.cat([IDS[row, :length], more[row]])[None])[0]
        torch.testing.assert_close(batch[row, :length], alone[:-1], atol=1e-5, rtol=0)
        torch.testing.assert_close(after[row, 0], alone[-1], atol=1e-5, rtol=0)


def test_a_row_can_be_read_by_itself_and_copied(decoder: Decoder) -> None:
    cache = Cache(decoder.config, 3, dtype=torch.float32)
    decoder(IDS[:2], cache=cache)
    decoder(IDS[2:, :20], cache=cache, rows=slice(2, 3))
    cache.copy_row(2, 0, 20)
    full = decoder(IDS[2:])
    rest = decoder(IDS[2:, 20:], torch.arange(20, 40)[None], cache, rows=slice(0, 1))
    torch.testing.assert_close(rest, full[:, 20:], atol=1e-5, rtol=0)


def test_what_rows_share_is_read_from_the_first_of_them(decoder: Decoder) -> None:
    lengths = [24, 40, 31]
    alone, cache = [], Cache(decoder.config, 3, dtype=torch.float32)
    for row, length in enumerate(lengths):
        ids = torch.cat([IDS[0, :20], IDS[row, 20:length]])
        decoder(ids[None], cache=cache, rows=slice(row, row + 1))
        alone.append(decoder(torch.cat([ids, torch.tensor([row])])[None])[0, -1])
    if not decoder.config.attention_window:  # there every row reads its own
        for layer in range(decoder.config.n_layers + decoder.config.top_query):
            cache.at(slice(1, 3), torch.arange(20).expand(2, -1), 20).extend(
                layer, *(torch.full((2, 20, decoder.config.n_kv_heads, decoder.config.d_head), torch.nan),) * 2
            )
    places = torch.tensor(lengths).unsqueeze(1)
    states = decoder.states(torch.tensor([[0], [1], [2]]), places, cache, n_shared=20)
    torch.testing.assert_close(decoder.logits(states)[:, 0], torch.stack(alone), atol=1e-5, rtol=0)


def test_a_window_hides_what_is_further_back() -> None:
    decoder = random_decoder(CONFIGS["window"])
    far = IDS[:1].clone()
    far[0, 0] += 1
    # Three layers of five positions each reach twelve positions back.
    assert torch.equal(decoder(far)[0, 13:], decoder(IDS[:1])[0, 13:])
    assert not torch.equal(decoder(far)[0, 12], decoder(IDS[:1])[0, 12])


def test_the_cache_grows_to_the_context_and_not_beyond() -> None:
    decoder = random_decoder(CONFIGS["rotary"])
    cache = Cache(decoder.config, 1, dtype=torch.float32)
    decoder(IDS[:1], cache=cache)
    assert cache.capacity == 256
    decoder(IDS[:1, :1], torch.tensor([[599]]), cache)
    assert cache.capacity == 600
    assert cache.size_bytes == 2 * 3 * 600 * 2 * 8 * 4
    with pytest.raises(ValueError, match=r"601 positions: the context has 600"):
        decoder(IDS[:1, :1], torch.tensor([[600]]), cache)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays_near(decoder: Decoder, dtype: torch.dtype) -> None:
    """Norms and softmax stay in fp32; what is left is the rounding of weights and states: 11 and 8 bits."""
    expected = torch.log_softmax(decoder(IDS).float(), -1)
    got = torch.log_softmax(decoder.to(dtype)(IDS).float(), -1)
    error = (got - expected).abs().mean() / expected.std()
    assert error < {torch.float16: 0.002, torch.bfloat16: 0.015}[dtype]


def test_the_number_of_parameters(decoder: Decoder) -> None:
    assert decoder.config.n_parameters == sum(parameter.numel() for parameter in decoder.parameters())
