"""Batches: every window once an epoch, any batch by its number, corpora by weight, texts whole behind their marks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tokens.shards.conftest import DOCUMENTS, plant

from tabwright.tokens.shards.config import BatchesConfig, Infilling, ShardsConfig
from tabwright.tokens.shards.drawing import Batches
from tabwright.tokens.shards.encoder import Encoder
from tabwright.tokens.shards.encoding import encode_corpus
from tabwright.tokens.shards.store import Shards, ShardsError
from tabwright.tokens.tokenizer import decode

CONFIG = BatchesConfig(length=64, rows=4, seed=3)


@pytest.fixture
def shards(corpus: Path, tokenizer: Path, tmp_path: Path) -> Shards:
    return encode_corpus(ShardsConfig(header="path"), tokenizer, [corpus], tmp_path / "shards")


@pytest.fixture
def encoder(tokenizer: Path) -> Encoder:
    return Encoder(tokenizer)


def test_an_epoch_has_every_token_once(shards: Shards, encoder: Encoder) -> None:
    batches = Batches([shards], replace(CONFIG, rows=1), encoder)
    n_windows = (shards.n_tokens - 1) // 64
    for epoch in range(2):
        rows = [batches.at(epoch * n_windows + number).ids_BT[0] for number in range(n_windows)]
        seen = Counter(token for row in rows for token in row[:-1].tolist())
        everything = Counter(
            token for number in range(shards.n_documents) for token in shards.document(number)[0].tolist()
        )
        assert not seen - everything
        assert (everything - seen).total() == shards.n_tokens - 64 * n_windows
        # A row ends with the first token of the one behind it in the stream.
        assert sum(row[-1] in {other[0] for other in rows} for row in rows) >= n_windows - 1
    assert (batches.at(0).ids_BT != batches.at(n_windows).ids_BT).any()


def test_a_batch_is_made_of_its_number(shards: Shards, encoder: Encoder) -> None:
    config = replace(CONFIG, infilling=Infilling(rate=0.5))
    one, other = Batches([shards], config, encoder), Batches([shards], config, encoder)
    for step in (0, 1, 2, 3, 500):
        one.at(step)
    for step in (500, 2, 10_000):
        for name in ("ids_BT", "learned_BT", "documents_BT", "corpora_B"):
            assert np.array_equal(getattr(one.at(step), name), getattr(other.at(step), name))
    assert (Batches([shards], replace(config, seed=4), encoder).at(2).ids_BT != one.at(2).ids_BT).any()


def test_corpora_are_mixed_by_weight(shards: Shards, encoder: Encoder, tokenizer: Path, tmp_path: Path) -> None:
    small = encode_corpus(ShardsConfig(), tokenizer, [plant(tmp_path / "c2", DOCUMENTS[:2])], tmp_path / "s2")
    batches = Batches([shards, small], replace(CONFIG, rows=100, weights=(1, 3)), encoder)
    counts = Counter(corpus for step in range(10) for corpus in batches.at(step).corpora_B.tolist())
    assert counts == {0: 250, 1: 750}
    by_size = Batches([shards, small], replace(CONFIG, rows=100), encoder)
    counts = Counter(corpus for step in range(10) for corpus in by_size.at(step).corpora_B.tolist())
    assert counts[1] == pytest.approx(1000 * small.n_tokens / (small.n_tokens + shards.n_tokens), abs=1)


@pytest.mark.parametrize("level", ["document", "context"])
@pytest.mark.parametrize("split", ["character", "token"])
@pytest.mark.parametrize("spm", [0.0, 1.0])
def test_a_rearranged_text_is_the_same_text(
    encoder: Encoder, tokenizer: Path, tmp_path: Path, level: Any, split: Any, spm: float
) -> None:
    texts = [f"def f{number}(a, b):\n    return a + {number} * b  # é\n" for number in range(60)]
    shards = encode_corpus(ShardsConfig(header="path"), tokenizer, [plant(tmp_path / "c", texts)], tmp_path / "s")
    config = BatchesConfig(length=256, rows=1, infilling=Infilling(rate=1.0, spm=spm, level=level, split=split))
    batches = Batches([shards], config, encoder)
    known = encoder.tokenizer
    marks = [known.special[f"<|fim_{name}|>"] for name in ("prefix", "suffix", "middle")]
    checked, seen = 0, set()
    for step in range(8):
        batch = batches.at(step)
        ids, owners, learned = batch.ids_BT[0], batch.documents_BT[0], batch.learned_BT[0]
        for document in dict.fromkeys(owners.tolist()):
            its = ids[owners == document].tolist()
            if its[-1] not in known.eos_ids or its[0] != known.special["<|file_sep|>"]:
                continue  # cut by the window
            header = shards.document(document)[1]
            assert its[:header] == shards.document(document)[0][:header].tolist()
            assert [its.count(mark) for mark in marks] == [1, 1, 1]
            pre, suf, mid = (its.index(mark) for mark in marks)
            if spm:
                assert header == pre == suf - 1
                whole = its[mid + 1 : -1] + its[suf + 1 : mid]
            else:
                assert header == pre < suf < mid
                whole = its[pre + 1 : suf] + its[mid + 1 : -1] + its[suf + 1 : mid]
            assert decode(known, whole) == texts[document]  # all at once: a split between tokens may cut a character
            given = [place for place, is_learned in enumerate(learned[owners == document].tolist()) if not is_learned]
            assert given == [*range(header), *sorted((pre, suf, mid))]
            seen.add(mid)
            checked += 1
    assert checked > 10
    assert len(seen) > 3


def test_half_of_the_texts_are_rearranged(encoder: Encoder, shards: Shards) -> None:
    config = replace(CONFIG, rows=400, infilling=Infilling(rate=0.5, spm=0.25))
    batch = Batches([shards], config, encoder).at(0)
    pre, suf = (encoder.tokenizer.special[f"<|fim_{name}|>"] for name in ("prefix", "suffix"))
    n_texts = sum(len(set(row)) for row in batch.documents_BT.tolist())
    n_pre = int((batch.ids_BT == pre).sum())
    n_spm = int(((batch.ids_BT[:, :-1] == pre) & (batch.ids_BT[:, 1:] == suf)).sum())
    assert n_pre / n_texts == pytest.approx(0.5, abs=0.08)
    assert n_spm / n_pre == pytest.approx(0.25, abs=0.08)


def test_what_cannot_be_drawn_is_told(shards: Shards, encoder: Encoder, byte_level: Path) -> None:
    with pytest.raises(ShardsError, match="encoded by another tokenizer"):
        Batches([shards], CONFIG, Encoder(byte_level))
    with pytest.raises(ShardsError, match="fewer than a window"):
        Batches([shards], replace(CONFIG, length=10**7), encoder)
    with pytest.raises(ShardsError, match="got 2, but there are 1"):
        Batches([shards], replace(CONFIG, weights=(1.0, 2.0)), encoder)
    for wrong in ({"length": 0}, {"rows": 10**9}, {"seed": -1}, {"weights": (0.0,)}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            BatchesConfig(**wrong)
