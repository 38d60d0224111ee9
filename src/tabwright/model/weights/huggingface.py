"""`config.json` <-> a configuration, by a family's table of keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tabwright.model.config import ConfigError, DecoderConfig
from tabwright.model.families import FAMILIES, Family, complete

_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "quick_gelu": "gelu_sigmoid",
    "silu": "silu",
    "swish": "silu",
}
_NAMES = {"gelu": "gelu", "gelu_tanh": "gelu_pytorch_tanh", "gelu_sigmoid": "quick_gelu", "silu": "silu"}


def family_of(config: Mapping[str, Any]) -> Family:
    """Return the family of a `config.json`.

    Raises:
        ConfigError: none is known by its `model_type`.
    """
    model_type = config.get("model_type")
    for family in FAMILIES:
        if family.model_type == model_type:
            return family
    known = ", ".join(family.model_type for family in FAMILIES)
    raise ConfigError(f"model_type: got {model_type!r}; known are {known}")


def read_config(config: Mapping[str, Any], family: Family) -> DecoderConfig:
    """Return the configuration that a `config.json` describes.

    Raises:
        ConfigError: a key is missing, or asks for what the decoder has not.
    """
    fields = dict(family.constants)
    for ours, theirs in family.keys.items():
        if config.get(theirs) is not None:
            fields[ours] = config[theirs]
        elif ours in family.defaults:
            fields[ours] = family.defaults[ours]
    if isinstance(fields.get("activation"), str) and "activation" in family.keys:
        name = str(fields["activation"])
        if name not in _ACTIVATIONS:
            raise ConfigError(f"{family.keys['activation']}: got {name!r}; known are {', '.join(_ACTIVATIONS)}")
        fields["activation"] = _ACTIVATIONS[name]
    if fields["position"] == "rotary":
        fields |= _read_rope(config)
    for key, value in family.fixed.items():
        if config.get(key) not in (None, value):
            raise ConfigError(f"{key}: got {config[key]!r}; only {value!r} is known in this family")
    read = complete(fields)
    if config.get("use_sliding_window"):  # Qwen2's, of layers from a certain one on
        n_whole = config.get("max_window_layers", 28)
        if n_whole == 0:
            return replace(read, attention_window=config.get("sliding_window") or 0)
        if not isinstance(n_whole, int) or n_whole < read.n_layers:
            raise ConfigError(f"max_window_layers: got {n_whole!r}; a window in all layers or in none is known")
    return read


def write_config(config: DecoderConfig, family: Family) -> dict[str, Any]:
    """Return the `config.json` of a configuration; `transformers` reads it where it knows the family."""
    written: dict[str, Any] = {theirs: getattr(config, ours) for ours, theirs in family.keys.items()}
    if not config.attention_window:
        written.pop(family.keys.get("attention_window", ""), None)
    if "activation" in family.keys:
        written[family.keys["activation"]] = _NAMES[config.activation]
    if config.position == "rotary" and config.rope_share == 1:
        scaling = {"none": "default", "linear": "linear"}
        if config.rope_scaling not in scaling:
            raise ConfigError(f"rope_scaling: got {config.rope_scaling!r}; this layout has none of it")
        written["rope_parameters"] = {"rope_theta": config.rope_theta, "rope_type": scaling[config.rope_scaling]}
        if config.rope_scaling == "linear":
            written["rope_parameters"]["factor"] = config.rope_factor
        written["rope_theta"] = config.rope_theta  # where older readers look
    if family.transformers_class:
        written["architectures"] = [family.transformers_class]
    return {"model_type": family.model_type, "tie_word_embeddings": config.tied_embeddings} | written


def _read_rope(config: Mapping[str, Any]) -> dict[str, Any]:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(rope, dict):
        raise ConfigError(f"rope_parameters: got {rope!r}, must be an object")
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind not in ("default", "linear"):
        raise ConfigError(f"rope_type: got {kind!r}; default and linear are known")
    read = {"rope_theta": rope.get("rope_theta", config.get("rope_theta", 10_000.0))}
    return read | ({"rope_scaling": "linear", "rope_factor": rope.get("factor")} if kind == "linear" else {})
