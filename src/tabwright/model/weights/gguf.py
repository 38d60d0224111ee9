"""GGUF files: names, and the metadata from which a configuration is read. Quantised tensors come out as fp32.

llama.cpp rotates neighbouring elements in the architecture that is called llama, and halves in all others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tabwright.model.config import DecoderConfig, WeightsError
from tabwright.model.weights.layout import Layout, Part, Row, row
from tabwright.model.weights.sources import TensorInfo

_LAYER = "blk.{layer}"


def _layout(*, pairs: bool, gated: bool, fused: bool) -> Layout:
    query = Part(f"{_LAYER}.attn_q", pairs="n_heads" if pairs else "")
    key = Part(f"{_LAYER}.attn_k", pairs="n_kv_heads" if pairs else "")
    names = ["layers.{layer}.attention.query", "layers.{layer}.attention.key_value"]
    separate = [row(names[0], query), row(names[1], key, f"{_LAYER}.attn_v")]
    attention = [row(names, f"{_LAYER}.attn_qkv")] if fused else separate
    up = [f"{_LAYER}.ffn_gate", f"{_LAYER}.ffn_up"] if gated else [f"{_LAYER}.ffn_up"]
    rows: list[Row] = [
        row("token_embedding", "token_embd"),
        row("position_embedding", "position_embd"),
        row("layers.{layer}.attention_norm", f"{_LAYER}.attn_norm"),
        *attention,
        row("layers.{layer}.attention.output", f"{_LAYER}.attn_output"),
        row("layers.{layer}.feed_forward_norm", f"{_LAYER}.ffn_norm"),
        row("layers.{layer}.feed_forward.up", *up),
        row("layers.{layer}.feed_forward.down", f"{_LAYER}.ffn_down"),
        row("final_norm", "output_norm"),
        row("output", "output"),
    ]
    return Layout(tuple(rows), ignored=r"output\.weight")


LLAMA = _layout(pairs=True, gated=True, fused=False)
QWEN2 = _layout(pairs=False, gated=True, fused=False)
GPT2 = _layout(pairs=False, gated=False, fused=True)
STARCODER2 = _layout(pairs=False, gated=False, fused=False)


class GGUFSource:
    """A GGUF file's tensors and metadata.

    Raises:
        WeightsError: it is cut short, or not GGUF.
    """

    def __init__(self, path: Path) -> None:
        from gguf import GGUFReader, dequantize

        try:
            self._reader = GGUFReader(path)
        except FileNotFoundError:
            raise WeightsError(f"{path}: no such file") from None
        except (ValueError, IndexError, OSError, KeyError) as error:
            raise WeightsError(f"{path}: cut short, or not GGUF ({error}); download it again") from None
        self._path = path
        self._dequantize = dequantize
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}
        self.tensors = {
            name: TensorInfo(tuple(int(n) for n in reversed(tensor.shape)), _dtype(tensor.tensor_type.name))
            for name, tensor in self._tensors.items()
        }

    def read(self, name: str) -> torch.Tensor:
        """Return a tensor; what is quantised is multiplied out to fp32."""
        tensor = self._tensors[name]
        kind = tensor.tensor_type.name
        shape = self.tensors[name].shape
        if kind == "BF16":
            return torch.from_numpy(tensor.data.copy()).view(torch.bfloat16).reshape(shape)
        if kind in ("F32", "F16"):
            return torch.from_numpy(tensor.data.copy()).reshape(shape)
        try:
            return torch.from_numpy(self._dequantize(tensor.data, tensor.tensor_type)).reshape(shape)
        except NotImplementedError:
            raise WeightsError(f"{self._path}: {name} is {kind}, which cannot be multiplied out") from None

    def value(self, key: str, default: Any = None) -> Any:
        """Return what the metadata say of a key; `{arch}` in it stands for the architecture.

        Raises:
            WeightsError: there is no such key, and no default.
        """
        full = key.format(arch=self._architecture()) if "{arch}" in key else key
        field = self._reader.get_field(full)
        if field is not None:
            return field.contents()
        if default is None:
            raise WeightsError(f"{self._path}: its metadata have no {full}; convert the model again")
        return default

    def _architecture(self) -> str:
        field = self._reader.get_field("general.architecture")
        return str(field.contents()) if field else "unknown"


def read_config(source: GGUFSource, **constants: Any) -> DecoderConfig:
    """Return the configuration that a file's metadata and tensors describe.

    Args:
        source: the file.
        constants: what the architecture says of the other fields.
    """
    n_heads = int(source.value("{arch}.attention.head_count"))
    d_model = int(source.value("{arch}.embedding_length"))
    rms = source.value("{arch}.attention.layer_norm_rms_epsilon", 0.0)
    scaling = str(source.value("{arch}.rope.scaling.type", "none"))
    if scaling not in ("none", "linear"):
        raise WeightsError(f"rope.scaling.type: got {scaling!r}; none and linear are known")
    read: dict[str, Any] = {
        "vocab_size": source.tensors["token_embd.weight"].shape[0],
        "d_model": d_model,
        "n_layers": int(source.value("{arch}.block_count")),
        "n_heads": n_heads,
        "n_kv_heads": int(source.value("{arch}.attention.head_count_kv", n_heads)),
        "d_head": int(source.value("{arch}.attention.key_length", d_model // n_heads)),
        "d_ff": int(source.value("{arch}.feed_forward_length")),
        "context_length": int(source.value("{arch}.context_length")),
        "norm_eps": float(rms or source.value("{arch}.attention.layer_norm_epsilon", 1e-5)),
        "rope_theta": float(source.value("{arch}.rope.freq_base", 10_000.0)),
        "rope_scaling": scaling,
        "rope_factor": float(source.value("{arch}.rope.scaling.factor", 1.0)),
        "tied_embeddings": "output.weight" not in source.tensors,
    }
    n_rotated = int(source.value("{arch}.rope.dimension_count", read["d_head"]))
    if n_rotated != read["d_head"]:
        raise WeightsError(f"rope.dimension_count: got {n_rotated}; all {read['d_head']} elements of a head are known")
    return DecoderConfig(**(read | constants))


def _dtype(kind: str) -> torch.dtype | None:
    if kind in ("I8", "I16", "I32", "I64"):
        return None
    return {"F16": torch.float16, "BF16": torch.bfloat16}.get(kind, torch.float32)
