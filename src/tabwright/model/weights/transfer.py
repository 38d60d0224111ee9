"""A file's tensors -> a decoder's weights by a layout, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import nn

from tabwright.model.config import DecoderConfig, WeightsError
from tabwright.model.decoder import Decoder
from tabwright.model.weights.layout import Layout, Match, Shape
from tabwright.model.weights.sources import TensorSource

FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
_LISTED = 8

Place = Callable[[Decoder, str, torch.Tensor], None]
Progress = Callable[[int, int], None]


def empty_decoder(config: DecoderConfig) -> Decoder:
    """Return a decoder without memory for its weights."""
    with torch.device("meta"):
        return Decoder(config)


def shapes_of(decoder: nn.Module) -> dict[str, Shape]:
    """Return the shapes of a decoder's weights, tied ones under the embedding's name alone."""
    return {name: tuple(parameter.shape) for name, parameter in decoder.named_parameters()}


def fill(
    decoder: Decoder,
    source: TensorSource,
    layout: Layout,
    place: Place,
    progress: Progress = lambda done, total: None,
) -> None:
    """Give an empty decoder its weights, one row of the layout at a time.

    Args:
        decoder: as `empty_decoder` returns it.
        source: where tensors come from.
        layout: their names.
        place: what is done with each weight.
        progress: called with how many rows of how many are done.

    Raises:
        WeightsError: tensors are missing, too many, of a wrong shape or dtype; nothing has been read then.
    """
    shapes = shapes_of(decoder)
    matches = list(layout.matches(decoder.config, shapes))
    check(source, layout, matches)
    for number, match in enumerate(matches, start=1):
        joined = _join(match, source, decoder.config)
        sizes = [shapes[name][0] for name in match.ours]
        for name, tensor in zip(match.ours, torch.split(joined, sizes) if len(sizes) > 1 else (joined,), strict=True):
            place(decoder, name, tensor)
        progress(number, len(matches))


def check(source: TensorSource, layout: Layout, matches: list[Match]) -> None:
    """Compare what a source has with what a layout wants.

    Raises:
        WeightsError: they differ; the message lists tensors and shapes.
    """
    wanted = {name: shape for match in matches for (name, _), shape in zip(match.parts, match.shapes, strict=True)}
    have = source.tensors
    faults = [f"missing: {name} {list(shape)}" for name, shape in wanted.items() if name not in have]
    for name, info in have.items():
        if name not in wanted:
            if not layout.is_ignored(name):
                faults.append(f"not expected: {name} {list(info.shape)}")
        elif info.shape != wanted[name]:
            faults.append(f"wrong shape: {name} {list(info.shape)}, expected {list(wanted[name])}")
        elif info.dtype not in FLOATS:
            faults.append(f"wrong dtype: {name} is {info.dtype or 'of an unknown one'}, expected floating point")
    if faults:
        more = f"; and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
        raise WeightsError(f"the weights do not fit the configuration: {'; '.join(faults[:_LISTED])}{more}")


def parts_of(
    weights: Mapping[str, torch.Tensor], config: DecoderConfig, layout: Layout
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield a decoder's weights under a layout's names: the inverse of `fill`."""
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    for match in layout.matches(config, shapes):
        joined = torch.cat([weights[name] for name in match.ours])
        for (name, part), piece in zip(match.parts, joined.chunk(len(match.parts)), strict=True):
            if part.pairs:
                piece = _interleave(piece, getattr(config, part.pairs))
            yield name, (piece.T if part.transposed and piece.ndim == 2 else piece).contiguous()


def put(decoder: Decoder, name: str, tensor: torch.Tensor) -> None:
    """Put a weight where the decoder has it, tied ones in both places."""
    owner, _, leaf = name.rpartition(".")
    parameter = nn.Parameter(tensor, requires_grad=False)
    setattr(decoder.get_submodule(owner), leaf, parameter)
    if decoder.config.tied_embeddings and owner == "token_embedding":
        decoder.output.weight = parameter


def _join(match: Match, source: TensorSource, config: DecoderConfig) -> torch.Tensor:
    pieces = []
    for name, part in match.parts:
        piece = source.read(name)
        if part.transposed and piece.ndim == 2:
            piece = piece.T.contiguous()
        pieces.append(_separate(piece, getattr(config, part.pairs)) if part.pairs else piece)
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces)


def _separate(tensor: torch.Tensor, n_heads: int) -> torch.Tensor:
    """Reorder each head's rows from interleaved rotary pairs (2i, 2i + 1) to halves (i, i + half)."""
    heads = tensor.reshape(n_heads, -1, 2, *tensor.shape[1:])
    return heads.transpose(1, 2).reshape(tensor.shape)


def _interleave(tensor: torch.Tensor, n_heads: int) -> torch.Tensor:
    heads = tensor.reshape(n_heads, 2, -1, *tensor.shape[1:])
    return heads.transpose(1, 2).reshape(tensor.shape)
