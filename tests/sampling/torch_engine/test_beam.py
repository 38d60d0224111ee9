"""Beam search finds what trying everything finds, where it is wide enough."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from tests.model.conftest import CONFIGS, random_decoder

from tabwright.model.decoder import Decoder
from tabwright.sampling.torch_engine.beam import beam_search

END = 3
N_WORDS = 6


@pytest.fixture(scope="module", params=["rotary", "top query"])
def decoder(request: pytest.FixtureRequest) -> Decoder:
    return random_decoder(replace(CONFIGS[request.param], vocab_size=N_WORDS))


def everything(decoder: Decoder, prompt: list[int], most: int, penalty: float) -> list[tuple[float, list[int]]]:
    """Return every continuation that has ended or has `most` tokens, best first."""
    found: dict[tuple[int, ...], float] = {}
    with torch.inference_mode():
        for made in itertools.product(range(N_WORDS), repeat=most):
            cut = made[: made.index(END) + 1] if END in made else made
            if cut not in found:
                logprobs = torch.log_softmax(decoder(torch.tensor([[*prompt, *cut]]))[0], -1)
                places = range(len(prompt) - 1, len(prompt) + len(cut) - 1)
                total = sum(float(logprobs[at, token]) for at, token in zip(places, cut, strict=True))
                found[cut] = total / len(cut) ** penalty
    return sorted(((score, list(cut)) for cut, score in found.items()), reverse=True)


@pytest.mark.parametrize("penalty", [0.0, 1.0, 2.0])
def test_a_wide_beam_finds_the_best(decoder: Decoder, penalty: float) -> None:
    expected = everything(decoder, [1, 2], 4, penalty)[:5]
    beams = beam_search(decoder, [1, 2], width=N_WORDS**3, max_tokens=4, ends={END}, length_penalty=penalty, n_best=5)
    assert [beam.ids for beam in beams] == [ids for _, ids in expected]
    assert [beam.score for beam in beams] == pytest.approx([score for score, _ in expected], abs=1e-4)
    assert [beam.ended for beam in beams] == [beam.ids[-1] == END for beam in beams]


def test_a_beam_of_one_is_greedy(decoder: Decoder) -> None:
    ids = [1, 2]
    with torch.inference_mode():
        for _ in range(10):
            ids.append(int(decoder(torch.tensor([ids]))[0, -1].argmax()))
    assert beam_search(decoder, [1, 2], width=1, max_tokens=10)[0].ids == ids[2:]


@pytest.mark.parametrize("ends", [[3, 7], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("first", range(5))
def test_a_beam_of_one_ends_where_greedy_ends(decoder: Decoder, first: int, ends: list[int]) -> None:
    ids = [first]
    with torch.inference_mode():
        while len(ids) < 9 and (len(ids) == 1 or ids[-1] not in ends):
            ids.append(int(decoder(torch.tensor([ids]))[0, -1].argmax()))
    assert beam_search(decoder, [first], width=1, max_tokens=8, ends=ends, length_penalty=0.0)[0].ids == ids[1:]


def test_a_wider_beam_is_not_worse(decoder: Decoder) -> None:
    scores = [beam_search(decoder, [1], width=w, max_tokens=8, length_penalty=0)[0].logprob for w in (1, 4, 32)]
    assert scores[0] <= scores[1] + 1e-5
    assert scores[1] <= scores[2] + 1e-5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_best": 3}, "n_best: got 3, must be from 1 to width = 2"),
        ({"max_tokens": 0}, "max_tokens: got 0, must be at least 1"),
    ],
)
def test_numbers_out_of_range_are_refused(decoder: Decoder, wrong: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        beam_search(decoder, [1], **({"width": 2, "max_tokens": 4} | wrong))  # type: ignore[arg-type]
