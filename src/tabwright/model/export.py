"""A decoder -> files that others read: Hugging Face's layout, or GGUF for llama.cpp."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from tabwright.model.checkpoint import write
from tabwright.model.config import ConfigError, DecoderConfig
from tabwright.model.decoder import Decoder
from tabwright.model.families import FAMILIES, Family
from tabwright.model.weights.huggingface import read_config, write_config
from tabwright.model.weights.transfer import parts_of

Quantisation = Literal["f32", "f16", "q8_0", "q4_0", "q4_1"]
# Few of a model's weights, and those that suffer most: four bits leave them eight.
_SENSITIVE = ("token_embd.weight", "output.weight")
_SHARD_BYTES = 4 << 30


def family_for(config: DecoderConfig, *, gguf: bool = False) -> Family:
    """Return the first family whose files can describe a configuration.

    Args:
        config: what is to be written.
        gguf: whether llama.cpp must know the family.

    Raises:
        ConfigError: none can.
    """
    for family in FAMILIES:
        if (family.gguf if gguf else family.layouts) and _describes(family, config, gguf):
            return family
    where = "llama.cpp" if gguf else "Hugging Face's layout"
    raise ConfigError(f"the configuration is none that {where} has a family for: {config}")


def export_hugging_face(decoder: Decoder, folder: Path, *, shard_bytes: int = _SHARD_BYTES) -> None:
    """Write `config.json` and safetensors, in shards where they are many; tokenizer files are not written here.

    Raises:
        ConfigError: no family has the decoder's configuration.
    """
    family = family_for(decoder.config)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: parameter.detach().cpu() for name, parameter in decoder.named_parameters()}
    plan = _shards(weights, decoder.config, family, shard_bytes)
    names = [_shard_name(number, len(plan)) for number in range(len(plan))]
    parts = parts_of(weights, decoder.config, family.layouts[0])
    for name, wanted in zip(names, plan, strict=True):
        shard = dict(next(parts) for _ in wanted)
        write(folder / name, partial(_save, shard))
    if len(plan) > 1:
        sizes = sum(weight.nbytes for weight in weights.values())
        index = {
            "metadata": {"total_size": sizes},
            "weight_map": {part: name for name, wanted in zip(names, plan, strict=True) for part in wanted},
        }
        _write_json(folder / "model.safetensors.index.json", index)
    described = write_config(decoder.config, family) | {"dtype": str(decoder.dtype).removeprefix("torch.")}
    _write_json(folder / "config.json", described)


def export_gguf(
    decoder: Decoder, path: Path, *, quantisation: Quantisation = "f16", metadata: Mapping[str, Any] | None = None
) -> None:
    """Write a GGUF file.

    Args:
        decoder: what is written.
        path: where.
        quantisation: of matrices; norms and biases stay fp32, embeddings and output have at least eight bits.
        metadata: more keys and values, such as the tokenizer's (`tabwright.tokens.gguf_fields`).

    Raises:
        ConfigError: llama.cpp knows no family of the decoder's configuration.
    """
    family = family_for(decoder.config, gguf=True)

    def write_all(temporary: Path) -> None:
        import gguf

        writer = gguf.GGUFWriter(temporary, family.architecture)
        _describe(writer, decoder.config, quantisation)
        for key, value in (metadata or {}).items():
            _add(writer, key, value)
        weights = {name: parameter.detach().cpu().float() for name, parameter in decoder.named_parameters()}
        assert family.gguf is not None
        for name, tensor in parts_of(weights, decoder.config, family.gguf):
            kind = _kind(name, tensor, quantisation)
            data = gguf.quantize(tensor.numpy(), gguf.GGMLQuantizationType[kind.upper()])
            writer.add_tensor(name, data, raw_dtype=gguf.GGMLQuantizationType[kind.upper()])
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    write(path, write_all)


def _save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    from safetensors.torch import save_file

    save_file(tensors, path, metadata={"format": "pt"})


def _describes(family: Family, config: DecoderConfig, gguf: bool) -> bool:
    if not gguf:
        try:
            return read_config(write_config(config, family), family) == config
        except ConfigError:
            return False
    if any(getattr(config, name) != value for name, value in family.constants.items()):
        return False
    told = {*family.constants, *family.keys}
    told |= {"rope_theta", "rope_scaling", "rope_factor"} if config.position == "rotary" else {"rope_theta"}
    usual = {"n_kv_heads": config.n_heads, "d_head": config.d_model // config.n_heads, "d_ff": 4 * config.d_model}
    usual |= {field.name: field.default for field in fields(DecoderConfig) if field.default is not MISSING}
    return all(getattr(config, name) == value for name, value in usual.items() if name not in told)


def _shards(weights: Mapping[str, torch.Tensor], config: DecoderConfig, family: Family, limit: int) -> list[list[str]]:
    """Return the names of each shard's tensors, in the order in which `parts_of` gives them."""
    size = next(iter(weights.values())).element_size()
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    plan: list[list[str]] = [[]]
    filled = 0
    for name, n_elements in _named_sizes(config, family, shapes):
        if filled and filled + n_elements * size > limit:
            plan.append([])
            filled = 0
        plan[-1].append(name)
        filled += n_elements * size
    return plan


def _named_sizes(
    config: DecoderConfig, family: Family, shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[tuple[str, int]]:
    for match in family.layouts[0].matches(config, shapes):
        for (name, _), shape in zip(match.parts, match.shapes, strict=True):
            yield name, torch.Size(shape).numel()


def _shard_name(number: int, count: int) -> str:
    return "model.safetensors" if count == 1 else f"model-{number + 1:05}-of-{count:05}.safetensors"


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write(path, lambda place: place.write_text(json.dumps(content, indent=2) + "\n", "utf-8"))


def _describe(writer: Any, config: DecoderConfig, quantisation: Quantisation) -> None:
    import gguf

    if config.attention_window:
        raise ConfigError(
            f"attention_window: got {config.attention_window}, of which llama.cpp knows nothing for this family"
        )
    if config.rope_scaling == "ntk":
        raise ConfigError("rope_scaling: got 'ntk', of which GGUF has none; use linear, or a rope_theta")
    writer.add_context_length(config.context_length)
    writer.add_embedding_length(config.d_model)
    writer.add_block_count(config.n_layers)
    writer.add_feed_forward_length(config.d_ff)
    writer.add_head_count(config.n_heads)
    writer.add_head_count_kv(config.n_kv_heads)
    writer.add_key_length(config.d_head)
    writer.add_value_length(config.d_head)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type({"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q8_0": 7}[quantisation])
    if config.norm == "rms":
        writer.add_layer_norm_rms_eps(config.norm_eps)
    else:
        writer.add_layer_norm_eps(config.norm_eps)
    if config.position == "rotary":
        writer.add_rope_dimension_count(config.d_rope)
        writer.add_rope_freq_base(config.rope_theta)
        if config.rope_scaling == "linear":
            writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(config.rope_factor)


def _add(writer: Any, key: str, value: Any) -> None:
    import gguf

    kinds = {str: "STRING", bool: "BOOL", int: "UINT32", float: "FLOAT32", list: "ARRAY"}
    writer.add_key_value(key, value, gguf.GGUFValueType[kinds[type(value)]])


def _kind(name: str, tensor: torch.Tensor, quantisation: Quantisation) -> str:
    if tensor.ndim == 1 or name == "position_embd.weight":
        return "f32"
    if quantisation in ("f32", "f16"):
        return quantisation
    if tensor.shape[1] % 32:
        return "f16"
    return "q8_0" if name in _SENSITIVE else quantisation
