"""The heads of GGUF files: real models and damaged ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tabwright.sampling.models import GGUFError, LocalModel, read_gguf


def test_reads_what_the_small_model_says_of_itself(smollm2: LocalModel) -> None:
    gguf = read_gguf(smollm2.path)
    assert (gguf.architecture, gguf.quantisation, gguf.context_length) == ("llama", "Q4_1", 8192)
    assert gguf.n_parameters == 134_515_008
    assert gguf.infill_tokens() is None
    assert gguf.has_chat


def test_finds_the_infill_tokens_of_the_default_model(qwen: LocalModel) -> None:
    infill = read_gguf(qwen.path).infill_tokens()
    assert infill is not None
    assert (infill.prefix, infill.suffix, infill.middle) == ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
    assert infill.file_separator == "<|file_sep|>"


def test_pieces_are_the_bytes_that_tokens_stand_for(smollm2: LocalModel) -> None:
    pieces = set(read_gguf(smollm2.path).pieces())
    assert {b" return", b"\n    ", b"\t", bytes([0xFF])} & pieces >= {b" return", b"\n    ", b"\t"}
    assert b"<|im_end|>" not in pieces


def test_every_truncation_is_refused_with_one_line(tmp_path: Path, smollm2: LocalModel) -> None:
    data = smollm2.path.read_bytes()
    path = tmp_path / "cut.gguf"
    lengths = [0, 3, 4, 7, 20, 24, 100, *random.Random(0).sample(range(100, 3_000_000), 20), len(data) - 1]
    for length in lengths:
        path.write_bytes(data[:length])
        with pytest.raises(GGUFError) as caught:
            read_gguf(path)
        assert "\n" not in str(caught.value)
        assert "cut.gguf" in str(caught.value)


def test_random_damage_in_the_head_never_escapes_as_another_error(tmp_path: Path, smollm2: LocalModel) -> None:
    data = bytearray(smollm2.path.read_bytes()[:200_000])
    dice = random.Random(1)
    path = tmp_path / "damaged.gguf"
    for _ in range(200):
        damaged = bytearray(data)
        for _ in range(8):
            damaged[dice.randrange(4, 3000)] = dice.randrange(256)
        path.write_bytes(damaged)
        with pytest.raises(GGUFError):
            read_gguf(path)


def test_a_folder_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.gguf"):
        with pytest.raises(GGUFError):
            read_gguf(path)
