"""Any folder or file of weights -> a decoder. Which layout it is shows in the files that are there."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from tabwright.model.config import ConfigError, DecoderConfig, WeightsError
from tabwright.model.decoder import Decoder
from tabwright.model.families import FAMILIES, Family, complete
from tabwright.model.weights import gguf, llama
from tabwright.model.weights.huggingface import family_of, read_config
from tabwright.model.weights.layout import Layout, row
from tabwright.model.weights.sources import (
    JoinedSource,
    PickleSource,
    TensorSource,
    open_folder,
    read_json,
)
from tabwright.model.weights.transfer import FLOATS, Place, Progress, empty_decoder, fill, put, shapes_of

_OWN = "tabwright"
_STATE_DICTS = (".pt", ".pth", ".bin")


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A folder or file of weights that has been looked at, and not read yet.

    Attributes:
        path: where it lies.
        config: what it describes.
        source: its tensors.
        layout: their names; None for our own, which are the decoder's.
        family: which one it is of; None where the files do not say.
    """

    path: Path
    config: DecoderConfig
    source: TensorSource
    layout: Layout | None
    family: Family | None

    @property
    def dtype(self) -> torch.dtype:
        """The narrowest one that holds every weight as it is stored; quantised ones count as fp32."""
        kinds = [info.dtype for info in self.source.tensors.values() if info.dtype in FLOATS]
        return functools.reduce(torch.promote_types, kinds) if kinds else torch.float32

    def load(
        self,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        place: Place | None = None,
        progress: Progress = lambda done, total: None,
    ) -> Decoder:
        """Return the decoder with its weights.

        Args:
            dtype: of the weights; they are converted where they have another.
            device: where they go.
            place: what is done with each weight in the place of keeping it, such as quantising.
            progress: called with how many of how many steps are done.

        Raises:
            WeightsError: tensors do not fit the configuration; the message lists them.
        """
        decoder = empty_decoder(self.config)
        layout = self.layout or own_layout(decoder)

        def keep(decoder: Decoder, name: str, tensor: torch.Tensor) -> None:
            put(decoder, name, tensor.to(device=device, dtype=dtype))

        fill(decoder, self.source, layout, place or keep, progress)
        return decoder.eval()


def open_checkpoint(path: Path) -> Checkpoint:
    """Look at weights in any known layout.

    Raises:
        WeightsError: they are of no known layout, or cannot be read.
        ConfigError: their configuration cannot be.
    """
    try:
        return _opener(path)(path)
    except (ConfigError, WeightsError):
        raise
    except (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: damaged, or not what it seems ({error}); download it again") from None


def _opener(path: Path) -> Callable[[Path], Checkpoint]:
    if path.suffix == ".gguf":
        return _open_gguf
    if path.is_file() and path.suffix in _STATE_DICTS:
        return _open_state_dict
    if not path.is_dir():
        raise WeightsError(f"{path}: no such folder, and no .gguf, {' or '.join(_STATE_DICTS)} file")
    if (path / "params.json").is_file():
        return _open_meta
    if (path / "config.json").is_file():
        return _open_hugging_face
    raise WeightsError(f"{path}: has neither config.json nor params.json; name the folder with the model's files")


def own_layout(decoder: Decoder) -> Layout:
    """Return the layout of our own files: every weight under the decoder's name for it."""
    modules = dict.fromkeys(name.rpartition(".")[0] for name in shapes_of(decoder))
    return Layout(tuple(row(name, name) for name in modules))


def save(decoder: Decoder, folder: Path) -> None:
    """Write a decoder as a folder of our own: `config.json` and `model.safetensors`, each at once or not at all."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: weight.detach().cpu().contiguous() for name, weight in decoder.named_parameters()}
    write(folder / "model.safetensors", lambda path: save_file(weights, path, metadata={"format": "pt"}))
    config = {"model_type": _OWN} | asdict(decoder.config)
    write(folder / "config.json", lambda path: path.write_text(json.dumps(config, indent=2) + "\n", "utf-8"))


def write(path: Path, writer: Callable[[Path], Any]) -> None:
    """Let a file be written under a temporary name, and rename it."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        writer(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _open_hugging_face(folder: Path) -> Checkpoint:
    described = read_json(folder / "config.json")
    if described.get("model_type") == _OWN:
        fields = {key: value for key, value in described.items() if key != "model_type"}
        try:
            config = DecoderConfig(**fields)
        except TypeError as error:
            raise ConfigError(f"{folder / 'config.json'}: {error}") from None
        return Checkpoint(path=folder, config=config, source=open_folder(folder), layout=None, family=None)
    try:
        family = family_of(described)
        config = read_config(described, family)
    except ConfigError as error:
        raise ConfigError(f"{folder / 'config.json'}: {error}") from None
    source = open_folder(folder)
    return Checkpoint(path=folder, config=config, source=source, layout=_fitting(family, source), family=family)


def _fitting(family: Family, source: TensorSource) -> Layout:
    for layout in family.layouts:
        if f"{layout.rows[0].parts[0].name}.weight" in source.tensors:
            return layout
    return family.layouts[0]


def _open_gguf(path: Path) -> Checkpoint:
    source = gguf.GGUFSource(path)
    architecture = str(source.value("general.architecture", "unknown"))
    for family in FAMILIES:
        if family.architecture == architecture and family.gguf:
            constants = {"activation": "silu" if family.constants["gated"] else "gelu_tanh"} | dict(family.constants)
            config = gguf.read_config(source, **constants)
            return Checkpoint(path=path, config=config, source=source, layout=family.gguf, family=family)
    known = ", ".join(family.architecture for family in FAMILIES if family.architecture)
    raise WeightsError(f"{path}: its architecture is {architecture!r}; known are {known}")


def _open_meta(folder: Path) -> Checkpoint:
    paths = sorted(folder.glob("consolidated.*.pth"))
    if not paths:
        raise WeightsError(f"{folder}: has params.json and no consolidated.*.pth; download the weights")
    source = JoinedSource([PickleSource([path]) for path in paths], llama.META_SHARDS)
    given = read_json(folder / "params.json")
    if given.get("use_scaled_rope"):
        raise ConfigError(f"{folder / 'params.json'}: use_scaled_rope: got true; frequencies as they are, are known")
    try:
        d_model, n_heads = int(given["dim"]), int(given["n_heads"])
        config = complete(
            {
                "vocab_size": source.tensors["tok_embeddings.weight"].shape[0],
                "d_model": d_model,
                "n_layers": int(given["n_layers"]),
                "n_heads": n_heads,
                "n_kv_heads": int(given.get("n_kv_heads") or n_heads),
                "d_ff": source.tensors["layers.0.feed_forward.w1.weight"].shape[0],
                "context_length": int(given.get("max_seq_len", 16_384)),
                "norm_eps": float(given.get("norm_eps", 1e-5)),
                "rope_theta": float(given.get("rope_theta", 10_000.0)),
            }
        )
    except KeyError as error:
        raise WeightsError(f"{folder}: has no {error} in params.json or the weights; download both again") from None
    family = next(family for family in FAMILIES if llama.HUGGING_FACE in family.layouts)
    return Checkpoint(path=folder, config=config, source=source, layout=llama.META, family=family)


def _open_state_dict(path: Path) -> Checkpoint:
    """Open one file of `torch.save`; the configuration is read from `config.json` beside it, or from the shapes."""
    source = PickleSource([path])
    for family in FAMILIES:
        layout = family.layouts[0]
        if family.measured and f"{layout.rows[0].parts[0].name}.weight" in source.tensors:
            beside = path.with_name("config.json")
            shapes = {name: info.shape for name, info in source.tensors.items()}
            given = read_json(beside) if beside.is_file() else family.measured(shapes)
            config = read_config(given, family)
            return Checkpoint(path=path, config=config, source=source, layout=layout, family=family)
    names = ", ".join(list(source.tensors)[:3])
    raise WeightsError(f"{path}: a state dict of no known layout (its first tensors: {names}); name its folder")
