"""Files of tensors: names, shapes and dtypes first, then one tensor at a time, so that memory stays that of a tensor.

Pickled files are read with `weights_only=True` alone: whatever else is in one is refused by its name.
"""

from __future__ import annotations

import json
import pickle
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from tabwright.model.config import WeightsError
from tabwright.model.weights.layout import Shape

_DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip


_DEEPEST = 8  # of mappings in mappings


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What a file says of a tensor before it is read."""

    shape: Shape
    dtype: torch.dtype | None


class TensorSource(Protocol):
    """Files of tensors."""

    @property
    def tensors(self) -> Mapping[str, TensorInfo]:
        """Every tensor by its name."""

    def read(self, name: str) -> torch.Tensor:
        """Return a tensor, on the CPU."""


class SafetensorsSource:
    """One or several safetensors files.

    Raises:
        WeightsError: a file is missing, cut short or no safetensors file.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.tensors: dict[str, TensorInfo] = {}
        self._paths: dict[str, Path] = {}
        for path in paths:
            for name, info in _safetensors_head(path).items():
                if name in self.tensors:
                    raise WeightsError(f"{path}: has {name}, as {self._paths[name]} has; download both again")
                self.tensors[name] = info
                self._paths[name] = path

    def read(self, name: str) -> torch.Tensor:
        """Return a tensor; its file is mapped for as long as the tensor lives, so that pages can be dropped."""
        from safetensors import safe_open

        with safe_open(self._paths[name], framework="pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
        return tensor


class PickleSource:
    """One or several files of `torch.save`; names of nested mappings are joined by dots.

    Raises:
        WeightsError: a file is missing, cut short, or holds anything but tensors and plain data.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._tensors: dict[str, torch.Tensor] = {}
        for path in paths:
            for name, tensor in _flatten(_load_pickle(path)):
                if name in self._tensors:
                    raise WeightsError(f"{path}: {name} is there twice; download the files again")
                self._tensors[name] = tensor
        self.tensors = {name: TensorInfo(tuple(t.shape), t.dtype) for name, t in self._tensors.items()}

    def read(self, name: str) -> torch.Tensor:
        """Return a tensor, and forget it: it is read once."""
        return self._tensors.pop(name)


class JoinedSource:
    """Shards of tensor parallelism, each with its part of every matrix.

    Args:
        shards: in the order of their ranks.
        along: a pattern of names, and the dimension along which tensors of such names were cut; others are copies.
    """

    def __init__(self, shards: Sequence[TensorSource], along: Sequence[tuple[str, int]]) -> None:
        self._shards = shards
        self._along = along
        self.tensors = {name: self._joined(name) for name in shards[0].tensors}

    def read(self, name: str) -> torch.Tensor:
        """Return a tensor, put together."""
        parts = [shard.read(name) for shard in self._shards]
        dimension = self._dimension(name)
        return parts[0] if dimension is None or len(parts) == 1 else torch.cat(parts, dimension)

    def _dimension(self, name: str) -> int | None:
        return next((dimension for pattern, dimension in self._along if re.fullmatch(pattern, name)), None)

    def _joined(self, name: str) -> TensorInfo:
        missing = [rank for rank, shard in enumerate(self._shards) if name not in shard.tensors]
        if missing:
            raise WeightsError(f"{name}: is in the first shard, and not in shard {missing[0]}; download that one again")
        info = self._shards[0].tensors[name]
        dimension = self._dimension(name)
        others = [shard.tensors[name] for shard in self._shards]
        if any(_around(each.shape, dimension) != _around(info.shape, dimension) for each in others):
            shapes = ", ".join(str(list(each.shape)) for each in others)
            raise WeightsError(f"{name}: its shards do not fit together: {shapes}; download them again")
        if dimension is None:
            return info
        shape = list(info.shape)
        shape[dimension] = sum(shard.tensors[name].shape[dimension] for shard in self._shards)
        return TensorInfo(tuple(shape), info.dtype)


def _around(shape: Shape, dimension: int | None) -> Shape:
    """Return a shape without the dimension along which it was cut."""
    return shape if dimension is None else (*shape[:dimension], -1, *shape[dimension + 1 :])


def open_folder(folder: Path) -> TensorSource:
    """Open the weights of a folder in Hugging Face's layout: single or sharded, safetensors before pickles.

    Raises:
        WeightsError: there are none, one that the index names is missing, or one cannot be read.
    """
    for index, kind in ((f"{stem}{ending}.index.json", kind) for stem, ending, kind in _KINDS):
        if (folder / index).is_file():
            weight_map = read_json(folder / index).get("weight_map")
            names = sorted({str(name) for name in weight_map.values()}) if isinstance(weight_map, dict) else []
            missing = [name for name in names if Path(name).name != name or not (folder / name).is_file()]
            if missing or not names:
                raise WeightsError(
                    f"{folder}: {index} names {', '.join(missing) or 'no file'}; download what is missing"
                )
            return kind([folder / name for name in names])
    for stem, ending, kind in _KINDS:
        if (folder / f"{stem}{ending}").is_file():
            return kind([folder / f"{stem}{ending}"])
    raise WeightsError(f"{folder}: has no weights; expected model.safetensors, pytorch_model.bin or their shards")


_KINDS: tuple[tuple[str, str, type[SafetensorsSource] | type[PickleSource]], ...] = (
    ("model", ".safetensors", SafetensorsSource),
    ("pytorch_model", ".bin", PickleSource),
)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object of a JSON file.

    Raises:
        WeightsError: it cannot be read, or holds something else.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: expected an object, got {type(content).__name__}")
    return content


def _safetensors_head(path: Path) -> dict[str, TensorInfo]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
            return {
                name: TensorInfo(tuple(each.get_shape()), _DTYPES.get(each.get_dtype()))
                for name, each in slices.items()
            }
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file") from None
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: cut short, or no safetensors file ({error}); download it again") from None


def _load_pickle(path: Path) -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):  # that it is of an old kind
            return torch.load(path, map_location="cpu", weights_only=True, mmap=_is_zip(path))
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file") from None
    except pickle.UnpicklingError as error:
        found = re.search(r"(?:GLOBAL|global|Unsupported class|function) `?([\w.]+)`?", str(error))
        what = f"it would run or make {found[1]}" if found else "it is no plain file of torch.save"
        raise WeightsError(
            f"{path}: refused: {what}; a pickle may hold tensors and plain data only; ask its author for safetensors"
        ) from None
    except Exception as error:  # a damaged pickle fails in many ways
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"{path}: cut short, or no file of torch.save ({reason}); download it again") from None


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _flatten(content: Any, prefix: str = "", depth: int = 0) -> list[tuple[str, torch.Tensor]]:
    if isinstance(content, torch.Tensor):
        is_plain = content.layout == torch.strided and content.device.type == "cpu"
        return [(prefix, content)] if is_plain else []
    if not isinstance(content, dict) or depth > _DEEPEST:
        return []
    found = []
    for key, value in content.items():
        found += _flatten(value, f"{prefix}.{key}" if prefix else str(key), depth + 1)
    return [(name.removeprefix("module."), tensor) for name, tensor in found]
