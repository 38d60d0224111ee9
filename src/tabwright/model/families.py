"""The families as data: how each one's published configuration is read, and which layouts its weights come in.

Nothing in the package asks for a family by its name: what differs between them is a field of `DecoderConfig`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from tabwright.model.config import ConfigError, DecoderConfig, check_field
from tabwright.model.weights import chatglm, codegeex, gguf, gpt2, llama, starcoder2
from tabwright.model.weights.layout import Layout, Shape


@dataclass(frozen=True, kw_only=True)
class Family:
    """One family, as its files on Hugging Face's hub and in GGUF describe it.

    Attributes:
        model_type: what `config.json` calls it.
        keys: our field -> its key in `config.json`; a field that has a default there may be missing.
        constants: fields that are the same for all of the family.
        layouts: of its tensors; the first whose names a file has is taken.
        architecture: what GGUF calls it; empty where llama.cpp does not know it.
        gguf: the layout of its tensors in GGUF.
        transformers_class: transformers' own model of it; empty where there is none.
        defaults: our fields where `config.json` may leave them out.
        fixed: keys of `config.json` that may have one value alone, as the decoder does it so.
        tagged: whether its models were trained on files whose first line names the language.
        measured: `config.json` from the shapes of its tensors; for families whose files come as one bare state dict.
    """

    model_type: str
    keys: Mapping[str, str]
    constants: Mapping[str, Any]
    layouts: tuple[Layout, ...]
    architecture: str = ""
    gguf: Layout | None = None
    transformers_class: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    tagged: bool = False
    measured: Callable[[Mapping[str, Shape]], dict[str, int]] | None = None


_LLAMA_KEYS = {
    "vocab_size": "vocab_size",
    "d_model": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "n_kv_heads": "num_key_value_heads",
    "d_head": "head_dim",
    "d_ff": "intermediate_size",
    "context_length": "max_position_embeddings",
    "norm_eps": "rms_norm_eps",
    "activation": "hidden_act",
    "tied_embeddings": "tie_word_embeddings",
}

FAMILIES = (
    Family(
        model_type="llama",
        transformers_class="LlamaForCausalLM",
        keys=_LLAMA_KEYS,
        constants={"norm": "rms", "gated": True, "position": "rotary", "biases": "none"},
        defaults={"activation": "silu", "tied_embeddings": False, "norm_eps": 1e-6, "context_length": 2048},
        fixed={"attention_bias": False, "mlp_bias": False},
        layouts=(llama.HUGGING_FACE,),
        architecture="llama",
        gguf=gguf.LLAMA,
    ),
    Family(
        model_type="qwen2",
        transformers_class="Qwen2ForCausalLM",
        keys=_LLAMA_KEYS,
        constants={"norm": "rms", "gated": True, "position": "rotary", "biases": "qkv"},
        defaults={"activation": "silu", "tied_embeddings": False, "norm_eps": 1e-6, "context_length": 32_768},
        layouts=(llama.HUGGING_FACE,),
        architecture="qwen2",
        gguf=gguf.QWEN2,
    ),
    Family(
        model_type="gpt2",
        transformers_class="GPT2LMHeadModel",
        keys={
            "vocab_size": "vocab_size",
            "d_model": "n_embd",
            "n_layers": "n_layer",
            "n_heads": "n_head",
            "d_ff": "n_inner",
            "context_length": "n_positions",
            "norm_eps": "layer_norm_epsilon",
            "activation": "activation_function",
        },
        constants={"norm": "layer", "gated": False, "position": "learned", "biases": "all", "tied_embeddings": True},
        defaults={"activation": "gelu_new", "norm_eps": 1e-5},
        fixed={
            "tie_word_embeddings": True,
            "scale_attn_weights": True,
            "scale_attn_by_inverse_layer_idx": False,
            "add_cross_attention": False,
        },
        layouts=(gpt2.HUGGING_FACE, gpt2.BARE),
        architecture="gpt2",
        gguf=gguf.GPT2,
    ),
    Family(
        model_type="starcoder2",
        transformers_class="Starcoder2ForCausalLM",
        keys=_LLAMA_KEYS | {"norm_eps": "norm_epsilon", "attention_window": "sliding_window"},
        constants={"norm": "layer", "gated": False, "position": "rotary", "biases": "all"},
        defaults={"activation": "gelu_pytorch_tanh", "tied_embeddings": True, "norm_eps": 1e-5, "context_length": 4096},
        layouts=(starcoder2.HUGGING_FACE,),
        architecture="starcoder2",
        gguf=gguf.STARCODER2,
    ),
    Family(
        model_type="chatglm",
        keys={
            "vocab_size": "padded_vocab_size",
            "d_model": "hidden_size",
            "n_layers": "num_layers",
            "n_heads": "num_attention_heads",
            "n_kv_heads": "multi_query_group_num",
            "d_head": "kv_channels",
            "d_ff": "ffn_hidden_size",
            "context_length": "seq_length",
            "norm_eps": "layernorm_epsilon",
        },
        constants={
            "norm": "rms",
            "activation": "silu",
            "gated": True,
            "position": "rotary",
            "rope_share": 0.5,
            "rope_interleaved": True,
            "biases": "qkv",
            "tied_embeddings": False,
        },
        fixed={
            "rmsnorm": True,
            "post_layer_norm": True,
            "multi_query_attention": True,
            "add_bias_linear": False,
            "add_qkv_bias": True,
            "apply_residual_connection_post_layernorm": False,
            "rope_ratio": 1,
        },
        layouts=(chatglm.THUDM,),
        tagged=True,
    ),
    Family(
        model_type="codegeex",
        keys={
            "vocab_size": "padded_vocab_size",
            "d_model": "hidden_size",
            "n_layers": "num_layers",
            "n_heads": "num_attention_heads",
            "context_length": "max_position_embeddings",
        },
        constants={
            "norm": "layer",
            "activation": "gelu_sigmoid",
            "gated": False,
            "position": "learned",
            "biases": "all",
            "tied_embeddings": True,
            "top_query": True,
        },
        layouts=(codegeex.THUDM,),
        tagged=True,
        measured=codegeex.measured,
    ),
)


def preset(name: str) -> DecoderConfig:
    """Return a named configuration, such as `codex-85m`.

    Raises:
        ConfigError: there is none of that name.
    """
    rows = _presets()
    if name not in rows:
        raise ConfigError(f"preset: got {name!r}; known are {', '.join(rows)}")
    return rows[name]


@cache
def _presets() -> dict[str, DecoderConfig]:
    table = tomllib.loads(files("tabwright.model").joinpath("presets.toml").read_text("utf-8"))
    found = {}
    for name, given in table["preset"].items():
        fields = table["family"][given["family"]] | {key: value for key, value in given.items() if key != "family"}
        found[name] = complete(fields)
    return found


def complete(fields: Mapping[str, Any]) -> DecoderConfig:
    """Return a configuration of which the usual may be left out: d_head, n_kv_heads and d_ff = 4 d_model.

    Raises:
        ConfigError: a field that has no usual value is missing, or one cannot be.
    """
    missing = [
        name for name in ("d_model", "n_layers", "n_heads", "vocab_size", "context_length") if name not in fields
    ]
    if missing:
        raise ConfigError(f"{missing[0]}: missing; give it a value")
    for name, value in fields.items():
        check_field(name, value)
    usual = {
        "n_kv_heads": fields["n_heads"],
        "d_head": fields["d_model"] // fields["n_heads"],
        "d_ff": 4 * fields["d_model"],
    }
    return DecoderConfig(**(usual | dict(fields)))
