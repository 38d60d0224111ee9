"""Names of CodeGeeX's tensors in THUDM's torch state dict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tabwright.model.weights.layout import Layout, Row, Shape, row

_MODEL = "language_model"


def _layer(ours: str, theirs: str) -> Iterator[Row]:
    yield row(f"{ours}.attention_norm", f"{theirs}.input_layernorm")
    yield row(f"{ours}.attention.query", f"{theirs}.attention.query")
    yield row(f"{ours}.attention.key_value", f"{theirs}.attention.key", f"{theirs}.attention.value")
    yield row(f"{ours}.attention.output", f"{theirs}.attention.dense")
    yield row(f"{ours}.feed_forward_norm", f"{theirs}.post_attention_layernorm")
    yield row(f"{ours}.feed_forward.up", f"{theirs}.mlp.dense_h_to_4h")
    yield row(f"{ours}.feed_forward.down", f"{theirs}.mlp.dense_4h_to_h")


THUDM = Layout(
    (
        row("token_embedding", f"{_MODEL}.embedding.word_embeddings"),
        row("position_embedding", f"{_MODEL}.embedding.position_embeddings"),
        row("query_embedding", f"{_MODEL}.topQueryEmbedding.top_query_embeddings"),
        *_layer("layers.{layer}", f"{_MODEL}.transformer.layers.{{layer}}"),
        *_layer("top_layer", f"{_MODEL}.transformer.topQueryLayer"),
        row("final_norm", f"{_MODEL}.transformer.final_layernorm"),
    ),
)


def measured(shapes: Mapping[str, Shape]) -> dict[str, int]:
    """Return what the shapes tell where there is no `config.json`; a head is taken to have 128 elements."""
    vocab_size, d_model = shapes[f"{_MODEL}.embedding.word_embeddings.weight"]
    layers = {name.split(".layers.")[1].split(".")[0] for name in shapes if ".layers." in name}
    return {
        "padded_vocab_size": vocab_size,
        "hidden_size": d_model,
        "num_layers": len(layers),
        "num_attention_heads": d_model // 128,
        "max_position_embeddings": shapes[f"{_MODEL}.embedding.position_embeddings.weight"][0],
    }
