"""Names of Llama's tensors: Hugging Face's layout (Code Llama, SmolLM2, Qwen2) and Meta's own."""

from __future__ import annotations

from tabwright.model.weights.layout import Layout, Part, row

_LAYER = "model.layers.{layer}"

# All but the feed-forward block, which has other names in models that took over these.
AROUND_FEED_FORWARD = (
    row("token_embedding", "model.embed_tokens"),
    row("layers.{layer}.attention_norm", f"{_LAYER}.input_layernorm"),
    row("layers.{layer}.attention.query", f"{_LAYER}.self_attn.q_proj"),
    row("layers.{layer}.attention.key_value", f"{_LAYER}.self_attn.k_proj", f"{_LAYER}.self_attn.v_proj"),
    row("layers.{layer}.attention.output", f"{_LAYER}.self_attn.o_proj"),
    row("layers.{layer}.feed_forward_norm", f"{_LAYER}.post_attention_layernorm"),
    row("final_norm", "model.norm"),
    row("output", "lm_head"),
)
HUGGING_FACE = Layout(
    (
        *AROUND_FEED_FORWARD,
        row("layers.{layer}.feed_forward.up", f"{_LAYER}.mlp.gate_proj", f"{_LAYER}.mlp.up_proj"),
        row("layers.{layer}.feed_forward.down", f"{_LAYER}.mlp.down_proj"),
    ),
    ignored=r".*\.rotary_emb\.inv_freq|lm_head\.weight",
)

META = Layout(
    (
        row("token_embedding", "tok_embeddings"),
        row("layers.{layer}.attention_norm", "layers.{layer}.attention_norm"),
        row("layers.{layer}.attention.query", Part("layers.{layer}.attention.wq", pairs="n_heads")),
        row(
            "layers.{layer}.attention.key_value",
            Part("layers.{layer}.attention.wk", pairs="n_kv_heads"),
            "layers.{layer}.attention.wv",
        ),
        row("layers.{layer}.attention.output", "layers.{layer}.attention.wo"),
        row("layers.{layer}.feed_forward_norm", "layers.{layer}.ffn_norm"),
        row("layers.{layer}.feed_forward.up", "layers.{layer}.feed_forward.w1", "layers.{layer}.feed_forward.w3"),
        row("layers.{layer}.feed_forward.down", "layers.{layer}.feed_forward.w2"),
        row("final_norm", "norm"),
        row("output", "output"),
    ),
    ignored=r"rope\.freqs",
)

# How Meta cuts matrices for model parallelism: by rows, or by columns where the inputs are spread.
META_SHARDS = (
    (r".*\.(wq|wk|wv|w1|w3)\.weight|output\.weight", 0),
    (r".*\.(wo|w2)\.weight|tok_embeddings\.weight", 1),
)
