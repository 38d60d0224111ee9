"""Texts that are spelt again, beside all ways to spell them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from tests.tokens.conftest import byte_level

from tabwright.sampling.torch_engine.respelling import Spelling, respellings
from tabwright.tokens.opening import open_tokenizer

__all__ = ["byte_level"]  # a fixture


@pytest.fixture(scope="module")
def pieces(byte_level: Path) -> list[bytes]:
    tokenizer = open_tokenizer(byte_level)
    return [tokenizer.piece(token) for token in range(tokenizer.vocab_size)]


def model(n_tokens: int, seed: int) -> dict[tuple[int, ...], torch.Tensor]:
    """Logits after any tokens, made up when they are first asked for."""

    class Made(dict[tuple[int, ...], torch.Tensor]):
        def __missing__(self, tokens: tuple[int, ...]) -> torch.Tensor:
            generator = torch.Generator().manual_seed(hash((seed, tokens)) % 2**31)
            self[tokens] = torch.randn(n_tokens, generator=generator) * 3
            return self[tokens]

    return Made()


def every_path(text: bytes, pieces: list[bytes], before: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    for token, piece in enumerate(pieces):
        if piece and piece.startswith(text):
            yield (*before, token)
        elif piece and text.startswith(piece):
            yield from every_path(text[len(piece) :], pieces, (*before, token))


def joint(path: Sequence[int], logits: dict[tuple[int, ...], torch.Tensor]) -> float:
    return sum(float(torch.log_softmax(logits[tuple(path[:at])], -1)[token]) for at, token in enumerate(path))


@pytest.mark.parametrize("text", [b"):", b" se", b"    ", b"\n    "])
@pytest.mark.parametrize("seed", range(6))
def test_greedy_takes_the_token_whose_paths_are_the_likeliest(
    text: bytes, seed: int, pieces: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tabwright.sampling.torch_engine.respelling._SHARE", 1e-30)
    monkeypatch.setattr("tabwright.sampling.torch_engine.respelling._MOST_LOOKS", 10_000)
    logits = model(len(pieces), seed)
    found = respellings(text, Spelling(pieces), logits[()], lambda tokens: logits[tuple(tokens)])
    paths = {path: math.exp(joint(path, logits)) for path in every_path(text, pieces)}
    expected: tuple[int, ...] = ()
    while expected not in paths:
        masses: dict[int, float] = {}
        for path, share in paths.items():
            if path[: len(expected)] == expected:
                masses[path[len(expected)]] = masses.get(path[len(expected)], 0.0) + share
        expected = (*expected, max(masses, key=lambda token: masses[token]))
    assert tuple(found.likeliest()) == expected


@pytest.mark.parametrize("text", [b"):", b" se"])
def test_paths_that_are_drawn_have_their_joint_probability(text: bytes, pieces: list[bytes]) -> None:
    logits = model(len(pieces), 7)
    found = respellings(text, Spelling(pieces), logits[()], lambda tokens: logits[tuple(tokens)])
    paths = [tuple(found.path(number)) for number in range(len(found.logprobs))]
    assert len(set(paths)) == len(paths)
    for path, logprob in zip(paths, found.logprobs.tolist(), strict=True):
        assert b"".join(pieces[token] for token in path).startswith(text)
        assert logprob == pytest.approx(joint(path, logits), abs=1e-4)
    whole = sum(math.exp(joint(path, logits)) for path in every_path(text, pieces))
    assert float(found.logprobs.logsumexp(0).exp()) > 0.8 * whole


def test_where_there_is_no_room_only_whole_tokens_are_found(pieces: list[bytes]) -> None:
    logits = model(len(pieces), 1)
    found = respellings(b" se", Spelling(pieces), logits[()], lambda tokens: None)
    assert all(len(found.path(number)) == 1 for number in range(len(found.logprobs)))
    with pytest.raises(ValueError, match="no tokens spell"):
        respellings(b"\xff\xfe\xfd", Spelling(pieces[:40]), logits[()], lambda tokens: None)
