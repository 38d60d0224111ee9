"""Names of GPT-2's tensors in Hugging Face's layout, whose matrices are (inputs, outputs)."""

from __future__ import annotations

from tabwright.model.weights.layout import Layout, row, transposed

_LAYER = "h.{layer}"


def _layout(prefix: str) -> Layout:
    layer = f"{prefix}{_LAYER}"
    return Layout(
        (
            row("token_embedding", f"{prefix}wte"),
            row("position_embedding", f"{prefix}wpe"),
            row("layers.{layer}.attention_norm", f"{layer}.ln_1"),
            row("layers.{layer}.feed_forward_norm", f"{layer}.ln_2"),
            *transposed(
                [
                    row(
                        ["layers.{layer}.attention.query", "layers.{layer}.attention.key_value"],
                        f"{layer}.attn.c_attn",
                    ),
                    row("layers.{layer}.attention.output", f"{layer}.attn.c_proj"),
                    row("layers.{layer}.feed_forward.up", f"{layer}.mlp.c_fc"),
                    row("layers.{layer}.feed_forward.down", f"{layer}.mlp.c_proj"),
                ]
            ),
            row("final_norm", f"{prefix}ln_f"),
            row("output", "lm_head"),
        ),
        ignored=r".*\.attn\.(masked_)?bias|lm_head\.weight",
    )


HUGGING_FACE = _layout("transformer.")
# GPT-2's own first files have the transformer alone.
BARE = _layout("")
