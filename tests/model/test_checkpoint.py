"""What goes out comes in again bit by bit, and files that do not fit are refused by the names of their tensors."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.model.conftest import CONFIGS, random_decoder

from tabwright.model import ConfigError, WeightsError
from tabwright.model.checkpoint import open_checkpoint, save
from tabwright.model.decoder import Decoder


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_saved_decoder_comes_back_bit_by_bit(decoder: Decoder, dtype: torch.dtype, tmp_path: Path) -> None:
    decoder.to(dtype)
    save(decoder, tmp_path / "model")
    loaded = open_checkpoint(tmp_path / "model").load(dtype=dtype)
    assert loaded.config == decoder.config
    for name, weight in decoder.named_parameters():
        assert torch.equal(loaded.get_parameter(name), weight), name
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["config.json", "model.safetensors"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(random_decoder(CONFIGS["rotary"]), tmp_path)
    return tmp_path


def change(folder: Path, **changes: torch.Tensor | None) -> None:
    weights: dict[str, Any] = load_file(folder / "model.safetensors") | changes
    save_file({name: tensor for name, tensor in weights.items() if tensor is not None}, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"final_norm.weight": None}, r"missing: final_norm.weight \[32\]"),
        ({"final_norm.weight": torch.ones(31)}, r"wrong shape: final_norm.weight \[31\], expected \[32\]"),
        ({"final_norm.weight": torch.ones(32, dtype=torch.int32)}, r"wrong dtype: final_norm.weight is torch.int32"),
        ({"extra.weight": torch.ones(2, 3)}, r"not expected: extra.weight \[2, 3\]"),
    ],
)
def test_weights_that_do_not_fit_are_named(folder: Path, changes: dict[str, Any], message: str) -> None:
    change(folder, **changes)
    with pytest.raises(WeightsError, match=message):
        open_checkpoint(folder).load()


def test_a_file_that_is_cut_short_is_refused(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-100])
    with pytest.raises(WeightsError, match=r"model.safetensors: cut short, or no safetensors file"):
        open_checkpoint(folder)


LLAMA: dict[str, Any] = {
    "model_type": "llama", "vocab_size": 8, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 8,
}  # fmt: skip
QWEN2 = LLAMA | {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 7}
GPT2: dict[str, Any] = {
    "model_type": "gpt2", "vocab_size": 8, "n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 8,
}  # fmt: skip


class Malicious:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("touch /tmp/was-run",))


@pytest.mark.parametrize("content", [{"weight": Malicious()}, {"a": torch.ones(2), "b": Malicious()}])
def test_a_pickle_that_would_run_something_is_refused_by_name(content: Any, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 1}
                                                     | {"vocab_size": 8, "n_positions": 8}))  # fmt: skip
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsError, match=r"pytorch_model.bin: refused: it would run or make (posix|os)\.system"):
        open_checkpoint(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(content))
    with pytest.raises(WeightsError, match=r"pytorch_model.bin: refused") as refused:
        open_checkpoint(tmp_path)
    assert "weights_only" not in str(refused.value)
    assert not Path("/tmp/was-run").exists()


def test_a_shard_that_is_missing_is_named(folder: Path) -> None:
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(WeightsError, match=r"names model-1.safetensors, model-2.safetensors; download what is missing"):
        open_checkpoint(folder)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "bert"}, r"config.json: model_type: got 'bert'; known are llama"),
        ({"model_type": "llama", "hidden_size": 8}, r"config.json: n_layers: missing"),
        (LLAMA | {"num_attention_heads": 0}, r"config.json: n_heads: got 0, must be a whole number"),
        (LLAMA | {"hidden_size": "64"}, r"config.json: d_model: got '64', must be a whole number"),
        (LLAMA | {"rms_norm_eps": []}, r"config.json: norm_eps: got \[\], must be a number above 0"),
        (LLAMA | {"rope_parameters": "linear"}, r"config.json: rope_parameters: got 'linear', must be an object"),
        (LLAMA | {"rope_scaling": {"type": "linear"}}, r"config.json: rope_factor: got None, must be a number"),
        (LLAMA | {"attention_bias": True}, r"config.json: attention_bias: got True; only False is known"),
        (LLAMA | {"max_position_embeddings": 10**11}, r"config.json: context_length: got 100000000000"),
        (GPT2 | {"tie_word_embeddings": False}, r"tie_word_embeddings: got False; only True is known"),
        (GPT2 | {"scale_attn_weights": False}, r"scale_attn_weights: got False; only True is known"),
        (GPT2 | {"scale_attn_by_inverse_layer_idx": True}, r"scale_attn_by_inverse_layer_idx: got True; only False"),
        (QWEN2 | {"max_window_layers": 1}, r"max_window_layers: got 1; a window in all layers or in none is known"),
        ({"model_type": "tabwright", "vocab_size": 8, "colour": 1}, r"config.json: .*colour"),
    ],
)
def test_a_configuration_that_is_not_known_is_refused(folder: Path, config: dict[str, Any], message: str) -> None:
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match=message):
        open_checkpoint(folder)


def test_windows_are_those_of_transformers(folder: Path) -> None:
    weights = open_checkpoint(folder).source
    for config, window in (
        (LLAMA | {"sliding_window": 7}, 0),  # which Llama has not
        (QWEN2 | {"max_window_layers": 0}, 7),
        (QWEN2 | {"max_window_layers": 2}, 0),
        (QWEN2 | {"use_sliding_window": False, "max_window_layers": 0}, 0),
    ):
        (folder / "config.json").write_text(json.dumps(config))
        assert open_checkpoint(folder).config.attention_window == window, config
    assert weights.tensors


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({"a": "../model.safetensors"}, r"names ../model.safetensors; download what is missing"),
        (["a"], r"names no file"),
        (
            {"a": "model.safetensors", "b": "again.safetensors"},
            r"safetensors: has .*, as .*safetensors has; download both",
        ),
    ],
)
def test_an_index_that_cannot_be_is_told(folder: Path, weight_map: Any, message: str) -> None:
    (folder.parent / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    (folder / "again.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(WeightsError, match=message):
        open_checkpoint(folder)


@pytest.mark.parametrize("name", ["params.json", "config.json"])
@pytest.mark.parametrize("content", ["[" * 100_000, "[1]", '{"model_type": [], "dim": "x", "n_heads": {}}'])
def test_damaged_descriptions_are_one_error(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)
    torch.save({"tok_embeddings.weight": torch.ones(2, 2)}, folder / "consolidated.00.pth")
    with pytest.raises((WeightsError, ConfigError)):
        open_checkpoint(folder)


def test_weights_without_a_number_are_told(folder: Path) -> None:
    torch.save({"weight": torch.ones(2, dtype=torch.int32)}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    checkpoint = open_checkpoint(folder)
    with pytest.raises(WeightsError, match=r"the weights do not fit the configuration: missing"):
        checkpoint.load(dtype=checkpoint.dtype)


def test_a_place_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no such folder"):
        open_checkpoint(tmp_path / "nothing")
    with pytest.raises(WeightsError, match=r"has neither config.json nor params.json"):
        open_checkpoint(tmp_path)
    (tmp_path / "x.gguf").write_bytes(b"GGUF\x03")
    with pytest.raises(WeightsError, match=r"x.gguf: cut short, or not GGUF"):
        open_checkpoint(tmp_path / "x.gguf")
