"""GGUF files, written here with llama.cpp's own library under its names and in its order of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from tests.parity.test_transformers import MODELS, build, interleave

from tabwright.model.checkpoint import open_checkpoint

LLAMA_NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
GPT2_NAMES = {
    "transformer.wte": "token_embd", "transformer.wpe": "position_embd", "transformer.ln_f": "output_norm",
    "ln_1": "attn_norm", "ln_2": "ffn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output",
    "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down",
}  # fmt: skip


def gguf_name(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    names = GPT2_NAMES if name.startswith("transformer.") else LLAMA_NAMES
    for prefix in ("model.layers.", "transformer.h."):
        if stem.startswith(prefix):
            number, _, rest = stem.removeprefix(prefix).partition(".")
            return f"blk.{number}.{names[rest]}.{ending}"
    return f"{names[stem]}.{ending}"


def write_gguf(model: Any, kind: str, path: Path, quantisation: gguf.GGMLQuantizationType | None = None) -> None:
    config = model.config
    writer = gguf.GGUFWriter(path, kind)
    writer.add_context_length(64)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    if kind == "gpt2":
        writer.add_feed_forward_length(config.n_inner or 4 * config.n_embd)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    else:
        writer.add_feed_forward_length(config.intermediate_size)
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
        writer.add_head_count_kv(config.num_key_value_heads)
        writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    tied = config.tie_word_embeddings
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and tied:
            continue
        if kind == "llama" and ("q_proj" in name or "k_proj" in name):
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            tensor = interleave(tensor, heads)
        if kind == "gpt2" and tensor.ndim == 2 and ".c_" in name:
            tensor = tensor.T
        data = tensor.contiguous().numpy()
        if quantisation is not None and data.ndim == 2 and data.shape[1] % 32 == 0:
            writer.add_tensor(gguf_name(name), gguf.quantize(data, quantisation), raw_dtype=quantisation)
        else:
            writer.add_tensor(gguf_name(name), data)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize(("name", "kind"), [("llama, long context", "llama"), ("qwen2", "qwen2"), ("gpt2", "gpt2")])
def test_logits_are_those_of_transformers(name: str, kind: str, tmp_path: Path) -> None:
    model = build(*MODELS[name])
    write_gguf(model, kind, tmp_path / "model.gguf")
    ids = torch.randint(0, 96, (1, 40), generator=torch.Generator().manual_seed(1))
    decoder = open_checkpoint(tmp_path / "model.gguf").load()
    with torch.inference_mode():
        torch.testing.assert_close(decoder(ids), model(ids).logits, atol=1e-4, rtol=0)


def test_quantised_tensors_are_multiplied_out(tmp_path: Path) -> None:
    model = build("Llama", MODELS["llama"][1] | {"hidden_size": 96, "intermediate_size": 64})
    write_gguf(model, "llama", tmp_path / "model.gguf", gguf.GGMLQuantizationType.Q8_0)
    decoder = open_checkpoint(tmp_path / "model.gguf").load()
    got = decoder.get_parameter("layers.1.feed_forward.down.weight")
    exact = model.model.layers[1].mlp.down_proj.weight
    step = exact.unflatten(1, (-1, 32)).abs().amax(-1, keepdim=True) / 127
    assert ((got - exact).unflatten(1, (-1, 32)).abs() <= 0.51 * step + 1e-4).all()
    assert not torch.equal(got, exact)
