"""Bytes -> whether each is a letter, or a letter or digit. Bytes beyond ASCII count as letters.

A few comparisons of all bytes at once, which is faster than looking each one up: in blocks that stay in the
processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

BLOCK = 1 << 17  # bytes

Bytes = npt.NDArray[np.uint8]
Marks = npt.NDArray[np.bool_]


def are_letters(block: Bytes) -> Marks:
    """Mark the letters among some bytes."""
    marks = ((block | 0x20) - ord("a")) < 26  # differences wrap around
    marks |= block >= 0x80
    return marks


def are_letters_or_digits(block: Bytes) -> Marks:
    """Mark the letters and digits among some bytes."""
    marks = are_letters(block)
    marks |= (block - ord("0")) < 10
    return marks


def marked(data: Bytes, kind: Callable[[Bytes], Marks]) -> Marks:
    """Mark bytes of any number."""
    marks = np.empty(len(data), dtype=bool)
    for start in range(0, len(data), BLOCK):
        marks[start : start + BLOCK] = kind(data[start : start + BLOCK])
    return marks
