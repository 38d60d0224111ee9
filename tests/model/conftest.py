"""Small decoders of every kind, with random weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tabwright.model import DecoderConfig
from tabwright.model.decoder import Decoder

BASE = DecoderConfig(
    vocab_size=64, d_model=32, n_layers=3, n_heads=4, n_kv_heads=2, d_head=8, d_ff=48, context_length=600
)
CONFIGS = {
    "rotary": BASE,
    "interleaved half": replace(BASE, rope_interleaved=True, rope_share=0.5, biases="qkv"),
    "learned": replace(
        BASE,
        norm="layer", position="learned", activation="gelu_tanh", gated=False, biases="all", tied_embeddings=True,
    ),
    "top query": replace(
        BASE,
        n_kv_heads=4, norm="layer", position="learned", activation="gelu_sigmoid", gated=False, biases="all",
        tied_embeddings=True, top_query=True,
    ),
    "window": replace(BASE, attention_window=5),
}  # fmt: skip


def random_decoder(config: DecoderConfig) -> Decoder:
    torch.manual_seed(5)
    decoder = Decoder(config).eval()
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return decoder


@pytest.fixture(params=CONFIGS)
def decoder(request: pytest.FixtureRequest) -> Decoder:
    return random_decoder(CONFIGS[request.param])
