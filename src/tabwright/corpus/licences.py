"""Texts -> SPDX names of the licences that they are, or name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

# Files in a repository's first folder that say how it is licensed; not those about what it brings along.
LICENCE_FILE = re.compile(
    r"(?!.*(?:binary|third|vendor|dependenc|notice))(?:(?:un)?licen[cs]e|copying|mit-licen[cs]e)[^/]*", re.IGNORECASE
)
_TAG = re.compile(rb"SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+\-():][A-Za-z0-9.+\-(): \t]*)")
_JOINING = frozenset(("AND", "OR", "WITH"))
_OPERATORS = _JOINING | {"(", ")"}
_MOST_PARTS = 100
_PARTS = re.compile(r"[()]|[^\s()]+")
_WHITE = re.compile(r"[\s*#/;]+")
_BINDING = re.compile(rb"(?:general|mozilla|eclipse)[\s*#/;]+public|business[\s*#/;]+source")
# A text without any of them need not be searched for these expressions, which takes fifty times as long.
_BINDING_WORDS = (b"general", b"mozilla", b"eclipse", b"business")
_HEADER_BYTES = 3000
# What a file says by itself only counts where it binds more than its repository does.
_HEADERS = ("AGPL-3.0", "LGPL-3.0", "LGPL-2.1", "GPL-3.0", "GPL-2.0", "MPL-2.0", "EPL-2.0", "EPL-1.0", "BUSL-1.1")


def licence_of_text(text: bytes) -> str:
    """Return what licence a licence file holds; empty where it is none that we know.

    A text that holds several is the first of them in `licences.toml`, where stricter ones stand first.
    """
    plain = _plain(text)
    found = (spdx for spdx, signs in _licences() if any(all(sign in plain for sign in signs_of) for signs_of in signs))
    return next(found, "")


def licence_of_header(text: bytes) -> str:
    """Return what licence a source file's first lines name: an SPDX expression, or a header that binds; else empty."""
    head = text[:_HEADER_BYTES]
    if tag := _TAG.search(head):
        return _expression_in(tag.group(1).decode())
    lower = head.lower()
    if not (any(word in lower for word in _BINDING_WORDS) and _BINDING.search(lower)):
        return ""
    plain = _plain(head)
    if "general public license" in plain:
        family = "AGPL" if "affero" in plain else "LGPL" if "lesser" in plain or "library general" in plain else "GPL"
        version = re.search(r"version (\d(?:\.\d)?)|gpl ?v?(\d)", plain)
        number = (version.group(1) or version.group(2)) if version else "2"
        return f"{family}-{number}" + ("" if "." in number else ".0")
    name = licence_of_text(head)
    return name if name in _HEADERS else ""


def allows(expression: str, allowed: frozenset[str]) -> bool:
    """Whether an SPDX expression leaves a choice of only allowed licences: one side of OR, every side of AND.

    `allowed` are in small letters: SPDX tells no case apart. What is no expression allows nothing.
    """
    parts = _PARTS.findall(expression)
    if len(parts) > _MOST_PARTS:
        return False
    try:
        permits, end = _any_of(parts, 0, allowed)
    except IndexError:
        return False
    return permits and end == len(parts)


def _any_of(parts: Sequence[str], at: int, allowed: frozenset[str]) -> tuple[bool, int]:
    """Return whether the alternatives that begin at a place permit a use, and where they end."""
    permits, at = _all_of(parts, at, allowed)
    while at < len(parts) and parts[at].upper() == "OR":
        other, at = _all_of(parts, at + 1, allowed)
        permits |= other
    return permits, at


def _all_of(parts: Sequence[str], at: int, allowed: frozenset[str]) -> tuple[bool, int]:
    permits, at = _one(parts, at, allowed)
    while at < len(parts) and parts[at].upper() == "AND":
        other, at = _one(parts, at + 1, allowed)
        permits &= other
    return permits, at


def _one(parts: Sequence[str], at: int, allowed: frozenset[str]) -> tuple[bool, int]:
    if parts[at] == "(":
        permits, at = _any_of(parts, at + 1, allowed)
        if parts[at] != ")":
            raise IndexError
        return permits, at + 1
    if parts[at].upper() in _OPERATORS:
        raise IndexError
    permits = parts[at].removesuffix("+").casefold() in allowed
    if at + 1 < len(parts) and parts[at + 1].upper() == "WITH":
        if parts[at + 2].upper() in _OPERATORS:
            raise IndexError
        return permits, at + 3
    return permits, at + 1


def _expression_in(text: str) -> str:
    """Return what of a line is an SPDX expression: its longest beginning that is one; all of it where that goes on."""
    parts = _PARTS.findall(text)
    for stop in range(min(len(parts), _MOST_PARTS), 0, -1):
        try:
            _, end = _any_of(parts[:stop], 0, frozenset())
        except IndexError:
            continue
        if end == stop:
            goes_on = stop < len(parts) and parts[stop].upper() in _JOINING
            return text.strip() if goes_on else " ".join(parts[:stop]).replace("( ", "(").replace(" )", ")")
    return text.strip()


def _plain(text: bytes) -> str:
    return _WHITE.sub(" ", text.decode(errors="replace").lower())


@cache
def _licences() -> list[tuple[str, list[list[str]]]]:
    rows = tomllib.loads((Path(__file__).with_name("licences.toml")).read_text())["licence"]
    return [(row["spdx"], [[_plain(sign.encode()) for sign in signs] for signs in row["signs"]]) for row in rows]
