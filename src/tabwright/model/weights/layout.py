"""A layout: which tensors of a file are which weights of the decoder. Tables of names; no tensor is touched here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tabwright.model.config import DecoderConfig

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One tensor of a file.

    Attributes:
        name: without its ending (`.weight`, `.bias`); `{layer}` stands for the layer's number.
        transposed: its matrix is (inputs, outputs).
        pairs: which of the configuration's counts of heads its rows belong to, where each head's rows are interleaved
            rotary pairs and the decoder wants halves; empty where they are as the decoder has them.
    """

    name: str
    transposed: bool = False
    pairs: Literal["", "n_heads", "n_kv_heads"] = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Modules of the decoder and parts of a file that hold the same rows, one after the other.

    All parts of a row have the same number of rows.
    """

    ours: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """One row of a layout for one layer and one ending: full names and the shapes that the file must have."""

    ours: tuple[str, ...]
    parts: tuple[tuple[str, Part], ...]
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """All rows, and what a file may have besides: a pattern of names of buffers and copies."""

    rows: tuple[Row, ...]
    ignored: str = r"(?!)"

    def matches(self, config: DecoderConfig, weights: Mapping[str, Shape]) -> Iterator[Match]:
        """Yield what is to be read for a decoder whose weights have these shapes."""
        for row in self.rows:
            for number in range(config.n_layers if "{layer}" in row.ours[0] else 1):
                for ending in (".weight", ".bias"):
                    ours = tuple(name.format(layer=number) + ending for name in row.ours)
                    if ours[0] in weights:
                        yield _match(ours, row.parts, number, ending, weights)

    def is_ignored(self, name: str) -> bool:
        """Whether a file may have a tensor of that name that is not a weight."""
        return re.fullmatch(self.ignored, name) is not None


def row(ours: str | Sequence[str], *parts: str | Part) -> Row:
    """Return a row; a text stands for a tensor as it is."""
    names = (ours,) if isinstance(ours, str) else tuple(ours)
    return Row(names, tuple(Part(part) if isinstance(part, str) else part for part in parts))


def transposed(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the same rows, their matrices (inputs, outputs)."""
    return tuple(
        Row(each.ours, tuple(Part(part.name, transposed=True, pairs=part.pairs) for part in each.parts))
        for each in rows
    )


def _match(
    ours: tuple[str, ...], parts: tuple[Part, ...], number: int, ending: str, weights: Mapping[str, Shape]
) -> Match:
    n_rows = sum(weights[name][0] for name in ours) // len(parts)
    names = tuple((part.name.format(layer=number) + ending, part) for part in parts)
    shape = (n_rows, *weights[ours[0]][1:])
    return Match(ours, names, tuple(shape[::-1] if part.transposed else shape for part in parts))
