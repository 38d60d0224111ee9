"""The plain implementations of `tests/parity/naive.py` beside the authors' own code, on the same random weights.

    python -m benchmarks.authors --codegeex codegeex_model.py --chatglm modeling_chatglm.py

The files are `codegeex/torch/codegeex_model.py` of THUDM/CodeGeeX and `modeling_chatglm.py` of a copy of CodeGeeX2-6B;
nothing of them is kept here. The first is read without its conversions to fp16. Of the second the model's own classes
are read, since the rest needs an old transformers.
"""

from __future__ import annotations

import argparse
import math
import types
import typing
from pathlib import Path
from typing import Any

import torch
from tests.parity import naive
from tests.parity.test_naive import CHATGLM, CODEGEEX, IDS, nest
from torch import nn


def codegeex(source: str) -> float:
    """Return the largest difference of a logit."""
    theirs: dict[str, Any] = {}
    exec(compile(source.replace(".half()", ""), "codegeex_model.py", "exec"), theirs)
    n_layers, n_heads, d_model = CODEGEEX["num_layers"], CODEGEEX["num_attention_heads"], CODEGEEX["hidden_size"]
    weights = naive.random_weights(naive.codegeex_shapes(64, 32, 3, 24), seed=1)
    model = theirs["CodeGeeXModel"](d_model, n_layers, n_heads, 64, 24).eval()
    model.load_state_dict(nest(weights)["module"])
    length = len(IDS)
    hidden = torch.tril(torch.ones(1, 1, length, length)) < 0.5
    logits = model(torch.tensor([IDS]), torch.arange(length).unsqueeze(0), hidden)[0]
    return float((logits - naive.codegeex(weights, IDS, layers=3, heads=4)).abs().max())


def chatglm(source: str) -> float:
    """Return the largest difference of a logit."""

    class PreTrainedModel(nn.Module):
        def __init__(self, config: object) -> None:
            super().__init__()
            self.config = config

    theirs: dict[str, Any] = vars(typing) | {
        "math": math, "torch": torch, "nn": nn, "F": nn.functional, "PreTrainedModel": PreTrainedModel,
        "ChatGLMConfig": object, "BaseModelOutputWithPast": dict, "skip_init": nn.utils.skip_init,
        "default_init": lambda kind, *values, **named: kind(*values, **named),
    }  # fmt: skip
    model_classes = source[source.index("def split_tensor_along") : source.index("class ChatGLMForConditional")]
    exec(compile(model_classes.replace("@torch.jit.script", ""), "modeling_chatglm.py", "exec"), theirs)
    config = types.SimpleNamespace(
        **CHATGLM, torch_dtype=torch.float32, multi_query_attention=True, add_bias_linear=False, add_qkv_bias=True,
        apply_query_key_layer_scaling=True, attention_softmax_in_fp32=True, attention_dropout=0.0, hidden_dropout=0.0,
        fp32_residual_connection=False, rmsnorm=True, post_layer_norm=True, original_rope=True, pre_seq_len=None,
        prefix_projection=False, apply_residual_connection_post_layernorm=False, use_cache=False,
        output_hidden_states=False, use_return_dict=True,
    )  # fmt: skip
    weights = naive.random_weights(naive.chatglm_shapes(64, 32, 3, 4, 2, 8, 40), seed=3)
    model = theirs["ChatGLMModel"](config, empty_init=False).eval()
    model.load_state_dict({name.removeprefix("transformer."): tensor for name, tensor in weights.items()}, strict=False)
    states = model(torch.tensor([IDS]), use_cache=False, return_dict=True)["last_hidden_state"]
    logits = model.output_layer(states).transpose(0, 1)[0]
    return float((logits - naive.chatglm(weights, IDS, layers=3, heads=4, groups=2, head=8)).abs().max())


def main() -> None:
    """Compare what is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codegeex", type=Path)
    parser.add_argument("--chatglm", type=Path)
    options = parser.parse_args()
    with torch.inference_mode():
        if options.codegeex:
            print(f"CodeGeeX: {codegeex(options.codegeex.read_text()):.1e}")
        if options.chatglm:
            print(f"ChatGLM2: {chatglm(options.chatglm.read_text()):.1e}")


if __name__ == "__main__":
    main()
