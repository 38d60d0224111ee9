"""Names of ChatGLM2's tensors, which are CodeGeeX2's, in THUDM's Hugging Face layout."""

from __future__ import annotations

from tabwright.model.weights.layout import Layout, row

_LAYER = "transformer.encoder.layers.{layer}"

THUDM = Layout(
    (
        row("token_embedding", "transformer.embedding.word_embeddings"),
        row("layers.{layer}.attention_norm", f"{_LAYER}.input_layernorm"),
        row(
            ["layers.{layer}.attention.query", "layers.{layer}.attention.key_value"],
            f"{_LAYER}.self_attention.query_key_value",
        ),
        row("layers.{layer}.attention.output", f"{_LAYER}.self_attention.dense"),
        row("layers.{layer}.feed_forward_norm", f"{_LAYER}.post_attention_layernorm"),
        row("layers.{layer}.feed_forward.up", f"{_LAYER}.mlp.dense_h_to_4h"),
        row("layers.{layer}.feed_forward.down", f"{_LAYER}.mlp.dense_4h_to_h"),
        row("final_norm", "transformer.encoder.final_layernorm"),
        row("output", "transformer.output_layer"),
    ),
    ignored=r"transformer\.rotary_pos_emb\.inv_freq",
)
