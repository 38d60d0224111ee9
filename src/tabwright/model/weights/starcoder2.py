"""Names of StarCoder2's tensors in Hugging Face's layout: Llama's, and GPT-2's feed-forward block."""

from __future__ import annotations

from tabwright.model.weights.layout import Layout, row
from tabwright.model.weights.llama import AROUND_FEED_FORWARD

HUGGING_FACE = Layout(
    (
        *AROUND_FEED_FORWARD,
        row("layers.{layer}.feed_forward.up", "model.layers.{layer}.mlp.c_fc"),
        row("layers.{layer}.feed_forward.down", "model.layers.{layer}.mlp.c_proj"),
    ),
    ignored=r"lm_head\.weight",
)
