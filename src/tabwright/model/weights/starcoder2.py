"""Names of StarCoder2's tensors in Hugging Face's layout: Llama's attention, GPT-2's feed-forward block."""

from __future__ import annotations

from tabwright.model.weights.layout import Layout, row

_LAYER = "model.layers.{layer}"

HUGGING_FACE = Layout(
    (
        row("token_embedding", "model.embed_tokens"),
        row("layers.{layer}.attention_norm", f"{_LAYER}.input_layernorm"),
        row("layers.{layer}.attention.query", f"{_LAYER}.self_attn.q_proj"),
        row("layers.{layer}.attention.key_value", f"{_LAYER}.self_attn.k_proj", f"{_LAYER}.self_attn.v_proj"),
        row("layers.{layer}.attention.output", f"{_LAYER}.self_attn.o_proj"),
        row("layers.{layer}.feed_forward_norm", f"{_LAYER}.post_attention_layernorm"),
        row("layers.{layer}.feed_forward.up", f"{_LAYER}.mlp.c_fc"),
        row("layers.{layer}.feed_forward.down", f"{_LAYER}.mlp.c_proj"),
        row("final_norm", "model.norm"),
        row("output", "lm_head"),
    ),
    ignored=r"lm_head\.weight",
)
