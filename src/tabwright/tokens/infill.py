"""The special tokens with which published models fill in the middle: a vocabulary in, its format out."""

from __future__ import annotations

import tomllib
from collections.abc import Container
from functools import cache
from importlib.resources import files

_FORMAT = ("prefix", "suffix", "middle", "file_separator")


def infill_format(vocabulary: Container[str]) -> dict[str, str] | None:
    """Return the first known format whose tokens stand in a vocabulary; None where the model has none.

    Its keys are `prefix`, `suffix` and `middle`, and `file_separator` where the vocabulary has it.
    """
    row = _row_of(vocabulary)
    return row and {column: token for column, token in row.items() if column in _FORMAT and token in vocabulary}


def title_tokens(vocabulary: Container[str]) -> dict[str, str]:
    """Return what stands before a file's `path` and a `repository`'s name, as far as a vocabulary has it."""
    row = _row_of(vocabulary) or {}
    titles = {"path": row.get("file_separator"), "repository": row.get("repository")}
    return {title: token for title, token in titles.items() if token and token in vocabulary}


def infill_tokens(vocabulary: Container[str]) -> tuple[set[str], set[str]]:
    """Return all tokens of a vocabulary's infill format, and those of them that end a text."""
    row = _row_of(vocabulary) or {}
    found = {column: token for column, token in row.items() if token in vocabulary}
    return set(found.values()), {found["end"]} if "end" in found else set()


def _row_of(vocabulary: Container[str]) -> dict[str, str] | None:
    for row in _formats():
        if all(row[column] in vocabulary for column in ("prefix", "suffix", "middle")):
            return row
    return None


@cache
def _formats() -> tuple[dict[str, str], ...]:
    return tuple(tomllib.loads(files("tabwright.tokens").joinpath("infill.toml").read_text("utf-8"))["format"])
