"""Rows of a batch: what they are given is what a full pass over each one's tokens gives, whatever they share."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tests.model.conftest import CONFIGS, random_decoder

from tabwright.model.decoder import Decoder
from tabwright.sampling.torch_engine.batch import Batch, Row

PROMPT = torch.randint(0, 64, (560,), generator=torch.Generator().manual_seed(4)).tolist()


@pytest.fixture(params=["rotary", "learned", "top query", "window"])
def decoder(request: pytest.FixtureRequest) -> Decoder:
    return random_decoder(CONFIGS[request.param])


def begin(batch: Batch, ids: list[int], copies: int = 0) -> list[Row]:
    row = batch.begin(ids)
    while batch.read(row) is None:
        pass
    return batch.join(row, copies)


def check(batch: Batch, decoder: Decoder, tokens: list[int]) -> None:
    """Compare one step with full passes."""
    before = [list(row.ids) for row in batch.active]
    with torch.inference_mode():
        alone = [decoder(torch.tensor([[*ids, token]]))[0, -1] for ids, token in zip(before, tokens, strict=True)]
    torch.testing.assert_close(batch.step(tokens), torch.stack(alone), atol=2e-5, rtol=0)


def test_samples_of_one_prompt_are_each_alone(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = []
    states = Decoder.states

    def watched(self: Decoder, *given: Any) -> torch.Tensor:
        shared.append(given[-1])
        return states(self, *given)

    batch = Batch(decoder, 4)
    rows = begin(batch, PROMPT, copies=2)
    check(batch, decoder, [1, 2, 3])
    check(batch, decoder, [4, 4, 4])
    batch.end(rows[0])
    check(batch, decoder, [5, 6])  # too little to share
    begin(batch, [*PROMPT[:550], 7, 8])  # another prompt that begins alike
    check(batch, decoder, [9, 10, 11])
    begin(batch, [3, 2, 1])  # and one that does not
    monkeypatch.setattr(Decoder, "states", watched)
    batch.step([9, 10, 11, 12])
    batch.end(batch.active[-1])
    batch.step([1, 2, 3])
    assert shared == [0, 550]
