"""Logits beside `transformers`, from files that it wrote itself, and beside Meta's layout made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tabwright.model.checkpoint import open_checkpoint

transformers = pytest.importorskip("transformers")

LLAMA: dict[str, Any] = {
    "vocab_size": 96, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 3, "num_attention_heads": 6,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
}  # fmt: skip
GPT2: dict[str, Any] = {"vocab_size": 96, "n_embd": 48, "n_layer": 3, "n_head": 6, "n_positions": 64}
STARCODER2 = {key: value for key, value in LLAMA.items() if key != "rms_norm_eps"} | {"sliding_window": None}
INTERPOLATED = {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", LLAMA),
    "llama, long context": ("Llama", LLAMA | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
    "llama, interpolated": ("Llama", LLAMA | {"rope_parameters": INTERPOLATED}),
    "llama, tied, wide heads": ("Llama", LLAMA | {"tie_word_embeddings": True, "head_dim": 16}),
    "qwen2": ("Qwen2", LLAMA | {"tie_word_embeddings": True}),
    "starcoder2": ("Starcoder2", STARCODER2),
    "starcoder2, window": ("Starcoder2", STARCODER2 | {"sliding_window": 9}),
    "gpt2": ("GPT2", GPT2),
    "gpt2, exact gelu, narrow": ("GPT2", GPT2 | {"activation_function": "gelu", "n_inner": 72}),
}  # fmt: skip


def build(kind: str, config: dict[str, Any]) -> Any:
    torch.manual_seed(7)
    head = "LMHeadModel" if kind == "GPT2" else "ForCausalLM"
    model = getattr(transformers, f"{kind}{head}")(getattr(transformers, f"{kind}Config")(**config)).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # biases and norms are made of zeros and ones
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shard", ["1GB", "40KB"])
def test_logits_are_those_of_transformers(name: str, shard: str, tmp_path: Path) -> None:
    model = build(*MODELS[name])
    model.save_pretrained(tmp_path, max_shard_size=shard)
    assert ("model.safetensors.index.json" in [path.name for path in tmp_path.iterdir()]) == (shard == "40KB")
    ids = torch.randint(0, 96, (2, 40), generator=torch.Generator().manual_seed(1))
    decoder = open_checkpoint(tmp_path).load()
    with torch.inference_mode():
        torch.testing.assert_close(decoder(ids), model(ids).logits, atol=1e-4, rtol=0)


def interleave(matrix: torch.Tensor, n_heads: int) -> torch.Tensor:
    """Return rows in Meta's order: element 2i of a head is the usual i, 2i + 1 is half + i."""
    d_head = matrix.shape[0] // n_heads
    order = [head * d_head + at for head in range(n_heads) for i in range(d_head // 2) for at in (i, d_head // 2 + i)]
    return matrix[order]


def write_meta(model: Any, folder: Path, n_shards: int) -> None:
    """Write a Llama in the layout of Meta's own releases."""
    state, config = model.state_dict(), model.config
    names = {"tok_embeddings.weight": "model.embed_tokens.weight", "norm.weight": "model.norm.weight"}
    names["output.weight"] = "lm_head.weight"
    pairs = {
        "attention.wq": "self_attn.q_proj", "attention.wk": "self_attn.k_proj", "attention.wv": "self_attn.v_proj",
        "attention.wo": "self_attn.o_proj", "feed_forward.w1": "mlp.gate_proj", "feed_forward.w2": "mlp.down_proj",
        "feed_forward.w3": "mlp.up_proj", "attention_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    }  # fmt: skip
    for i in range(config.num_hidden_layers):
        names |= {f"layers.{i}.{ours}.weight": f"model.layers.{i}.{theirs}.weight" for ours, theirs in pairs.items()}
    whole = {name: state[theirs] for name, theirs in names.items()}
    for name in whole:
        if name.endswith("wq.weight"):
            whole[name] = interleave(whole[name], config.num_attention_heads)
        if name.endswith("wk.weight"):
            whole[name] = interleave(whole[name], config.num_key_value_heads)
    for shard in range(n_shards):
        cut: dict[str, torch.Tensor] = {"rope.freqs": torch.ones(4)}
        for name, tensor in whole.items():
            columns = name.endswith(("wo.weight", "w2.weight")) or name == "tok_embeddings.weight"
            piece = tensor if tensor.ndim == 1 else tensor.chunk(n_shards, 1 if columns else 0)[shard]
            cut[name] = piece.clone()
        torch.save(cut, folder / f"consolidated.{shard:02}.pth")
    params = {"dim": 48, "n_layers": 3, "n_heads": 6, "n_kv_heads": 2, "norm_eps": 1e-5, "vocab_size": -1}
    (folder / "params.json").write_text(json.dumps(params | {"rope_theta": 1e6}))


@pytest.mark.parametrize("n_shards", [1, 2])
def test_meta_s_layout_gives_the_same(n_shards: int, tmp_path: Path) -> None:
    model = build(*MODELS["llama, long context"])
    write_meta(model, tmp_path, n_shards)
    ids = torch.randint(0, 96, (1, 40), generator=torch.Generator().manual_seed(2))
    decoder = open_checkpoint(tmp_path).load()
    with torch.inference_mode():
        torch.testing.assert_close(decoder(ids), model(ids).logits, atol=1e-4, rtol=0)
