"""A tokenizer of our own: what it is trained on comes back, in fewer tokens where white space is joined."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.tokens.conftest import HARD, TEXTS
from tokenizers import Tokenizer as Backend

from tabwright.tokens import TokenizerError
from tabwright.tokens.byte_level import CUTS
from tabwright.tokens.byte_spelling import to_text
from tabwright.tokens.gguf_fields import gguf_fields
from tabwright.tokens.opening import open_tokenizer
from tabwright.tokens.shards.encoder import Encoder
from tabwright.tokens.tokenizer import decode
from tabwright.tokens.training import (
    SPECIAL,
    TokenizerConfig,
    language_token,
    merges_of,
    train_tokenizer,
    train_tokens,
    training_pattern,
)

PATTERNS = ("gpt-2", "starcoder", "llama-bpe", "qwen2")
SIZE = 1200


@pytest.fixture(scope="module", params=PATTERNS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    config = TokenizerConfig(vocab_size=SIZE, pattern=request.param, languages=("Python", "C++"))
    assert train_tokenizer(config, TEXTS, folder) == SIZE
    (folder / "pattern").write_text(request.param)
    return folder


def test_a_text_comes_back_and_is_never_special(folder: Path) -> None:
    tokenizer = open_tokenizer(folder)
    assert tokenizer.vocab_size == SIZE
    assert set(tokenizer.special) == {*SPECIAL, language_token("Python"), language_token("C++")}
    assert [tokenizer.special["<|endoftext|>"]] == list(tokenizer.eos_ids)
    for text in [*HARD, *SPECIAL, language_token("Python")]:
        ids = tokenizer.encode(text)
        assert decode(tokenizer, ids) == text
        assert not set(ids) & set(tokenizer.special.values())


def test_many_texts_are_encoded_as_the_library_does(folder: Path) -> None:
    encoder = Encoder(folder)
    texts = [*HARD, *SPECIAL, "a  1 22 333 4444   x\n\n  y ١٢٣ ½ x²", *TEXTS]
    ids, offsets = encoder.encode(texts)
    oracle = Backend.from_file(str(folder / "tokenizer.json"))
    oracle.encode_special_tokens = True
    for number, text in enumerate(texts):
        expected = oracle.encode(text, add_special_tokens=False).ids
        assert ids[offsets[number] : offsets[number + 1]].tolist() == expected
        assert encoder.tokenizer.encode(text) == expected


def test_llama_cpp_knows_its_pattern(folder: Path) -> None:
    fields = gguf_fields(folder, SIZE)
    assert CUTS[fields["tokenizer.ggml.pre"]] == CUTS[(folder / "pattern").read_text()]  # two names for one of them
    assert {"tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.fim_sep_token_id"} <= fields.keys()


def test_runs_of_white_space_become_tokens() -> None:
    pattern = training_pattern("gpt-2")
    joined = train_tokens(TEXTS, 600, pattern)
    apart = train_tokens(TEXTS, 600, pattern.replace(r"\s+(?!\S)|\s+", r"\s"))
    assert b"       " in joined
    assert not [token for token in apart if len(token) > 1 and not token.strip()]


def test_merges_make_their_tokens() -> None:
    tokens = train_tokens(TEXTS, 700, training_pattern("llama-bpe"))
    assert sorted(tokens[:256]) == [bytes([byte]) for byte in range(256)]
    assert ["".join(pair) for pair in merges_of(tokens)] == [to_text(token) for token in tokens[256:]]


def test_what_cannot_be_trained_is_told(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="vocab_size: got 900, but the texts give"):
        train_tokenizer(TokenizerConfig(vocab_size=900), ["a b a b"], tmp_path / "t")
    assert not (tmp_path / "t").exists()
    for wrong in ({"vocab_size": 100}, {"train_bytes": 0}, {"languages": ("C", "C")}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            TokenizerConfig(**wrong)


def test_other_kinds_of_tokenizer_encode_many_texts_too(sentence_piece: Path) -> None:
    encoder = Encoder(sentence_piece)
    ids, offsets = encoder.encode(TEXTS[:2])
    assert ids.dtype == np.uint32
    assert ids[: offsets[1]].tolist() == encoder.tokenizer.encode(TEXTS[0])


def training_in(folder: Path) -> list[str]:
    """Return the command that trains on a folder's texts by its recipe."""
    return [
        sys.executable, "-m", "tabwright", "tokens", "train", "--recipe", str(folder / "recipe.toml"),
        "--to", str(folder / "tokenizer"), "--from", str(folder / "texts.parquet"),
    ]  # fmt: skip


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "texts.parquet")
    (tmp_path / "recipe.toml").write_text("[tokenizer]\nvocab_size = 600\n")
    to = tmp_path / "tokenizer"
    # No file may have more than 4 KiB: what writes beyond that fails as on a full disk.
    command = ["bash", "-c", 'ulimit -f 4; exec "$@"', "-", *training_in(tmp_path)]
    full = subprocess.run(command, capture_output=True, text=True)
    assert full.returncode == 2
    assert "Traceback" not in full.stderr
    said = full.stderr.splitlines()[-1]
    assert (said.startswith(f"tabwright: {to}"), "tokenizer.json" in said) == (True, True)
    assert said.endswith("File too large")
    assert not list(to.iterdir())


def test_texts_that_are_not_utf_8_are_one_line(tmp_path: Path) -> None:
    texts = pa.array([b"x = 1", b"\xff\xfe"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": texts}), tmp_path / "texts.parquet")
    (tmp_path / "recipe.toml").write_text("[tokenizer]\nvocab_size = 600\n")
    training = subprocess.run(training_in(tmp_path), capture_output=True, text=True)
    assert training.returncode == 2
    assert "Traceback" not in training.stderr
    assert f"tabwright: {tmp_path / 'texts.parquet'}: its column `text` holds bytes" in training.stderr


def test_ctrl_c_is_heard_while_tokens_are_merged(tmp_path: Path) -> None:
    drawn = random.Random(1)
    texts = [" ".join(f"{drawn.getrandbits(64):x}" for _ in range(5000)) for _ in range(100)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "texts.parquet")
    (tmp_path / "recipe.toml").write_text('[tokenizer]\nvocab_size = 60_000\npattern = "llama-bpe"\n')
    with subprocess.Popen(training_in(tmp_path), stderr=subprocess.PIPE, text=True) as training:
        assert training.stderr is not None
        said = itertools.takewhile(lambda line: "merging" not in line, training.stderr)
        assert not any("Traceback" in line for line in said)
        start = time.monotonic()
        training.send_signal(signal.SIGINT)
        assert training.wait(60) == -signal.SIGINT
        assert time.monotonic() - start < 1
    assert not (tmp_path / "tokenizer").exists()
