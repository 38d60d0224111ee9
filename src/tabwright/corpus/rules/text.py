"""Rules about a file's bytes, whatever language it is in: readable, size, lines, characters. Whole batches at once.

References: Chen et al. 2021, section 3.1; Zheng et al. 2023, section 2.2 (both filter by lines and by characters).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tabwright.corpus.batch import Rule, drop, texts
from tabwright.corpus.characters import Marks, are_letters, are_letters_or_digits, marked
from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.duplicates.words import Places


def readable(_: CorpusConfig) -> Rule:
    """Drop what is no text: bytes that are not UTF-8, and files with a NUL."""

    def rule(table: pa.Table) -> pa.Table:
        joined, offsets = texts(table)
        if joined.all() and _is_utf8(table.column("text")):
            return table
        data = joined.tobytes()
        whys = [_why_unreadable(data[start:stop]) for start, stop in pairwise(offsets.tolist())]
        return drop(table, np.array([bool(why) for why in whys], dtype=bool), [why for why in whys if why])

    return rule


def size(config: CorpusConfig) -> Rule:
    """Drop files with fewer or more bytes than the recipe allows."""

    def rule(table: pa.Table) -> pa.Table:
        sizes = pc.binary_length(table.column("text")).to_numpy()
        dropped = (sizes < config.min_bytes) | (sizes > config.max_bytes)
        return drop(table, dropped, [f"{size} bytes" for size in sizes[dropped]])

    return rule


def lines(config: CorpusConfig) -> Rule:
    """Drop files whose lines are long on average, or one of whose lines is very long."""

    def rule(table: pa.Table) -> pa.Table:
        joined, offsets = texts(table)
        average, longest = _lines(joined, offsets)
        # Bytes were counted, which are more than characters: where that could matter, characters are.
        doubtful = (average > config.max_average_line) | (longest > config.max_line)
        for at in np.flatnonzero(doubtful):
            text = joined[offsets[at] : offsets[at + 1]]
            text = text[(text & 0xC0) != 0x80]
            average[at : at + 1], longest[at : at + 1] = _lines(text, np.array([0, len(text)]))
        dropped = (average > config.max_average_line) | (longest > config.max_line)
        return drop(
            table,
            dropped,
            [
                f"a line of {most} characters" if most > config.max_line else f"{mean:.0f} characters a line"
                for mean, most in zip(average[dropped], longest[dropped], strict=True)
            ],
        )

    return rule


def characters(config: CorpusConfig) -> Rule:
    """Drop files in which letters, or letters and digits, are too small a share."""

    def rule(table: pa.Table) -> pa.Table:
        joined, offsets = texts(table)
        sizes = np.maximum(np.diff(offsets), 1)
        dropped = np.zeros(len(table), dtype=bool)
        whys = np.full(len(table), "", dtype=object)
        for name, kind, least in (
            ("letters", are_letters, config.min_alphabetic),
            ("letters and digits", are_letters_or_digits, config.min_alphanumeric),
        ):
            if not least:
                continue
            shares = _count(marked(joined, kind), offsets) / sizes
            few = shares < least
            whys[few] = [f"{share:.0%} {name}" for share in shares[few]]
            dropped |= few
        return drop(table, dropped, whys[dropped].tolist())

    return rule


def _is_utf8(column: pa.ChunkedArray) -> bool:
    """Whether each text is."""
    try:
        column.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _why_unreadable(text: bytes) -> str:
    if b"\0" in text:
        return "has a NUL"
    try:
        if not text.isascii():
            text.decode()
    except UnicodeDecodeError:
        return "not UTF-8"
    return ""


def _count(marks: Marks, offsets: Places) -> Places:
    """Return how many bytes are marked in each text."""
    return np.array([np.count_nonzero(marks[start:stop]) for start, stop in pairwise(offsets.tolist())], np.int64)


def _lines(joined: npt.NDArray[np.uint8], offsets: Places) -> tuple[npt.NDArray[np.float64], Places]:
    """Return each text's average and longest line, without line ends."""
    # Ends of lines and ends of texts, in order; where both are at one place, the text that ends there comes first.
    keys = np.sort(np.concatenate([np.flatnonzero(joined == 0x0A) * 2 + 1, offsets[1:] * 2]), kind="stable")
    places, is_line_end = keys >> 1, keys & 1
    begins = np.concatenate([[0], (places + is_line_end)[:-1]])
    lengths = places - begins
    last = np.flatnonzero(is_line_end == 0)
    first = np.concatenate([[0], last[:-1] + 1])
    n_lines = np.maximum(last - first + (lengths[last] > 0), 1)
    return np.add.reduceat(lengths, first) / n_lines, np.maximum.reduceat(lengths, first)
