"""The languages that prompts can name: a name, alias or file extension in, its tag line and fence name out."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import PurePath

_LONGEST_NAME = 60  # of a name that is compared with all others and shown in an error


class UnknownLanguageError(ValueError):
    """No language has that name; the message lists near ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """One language. `tag` is CodeGeeX2's tag line; `fence` is its name after a Markdown code fence."""

    name: str
    tag: str
    fence: str = ""
    extensions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@cache
def languages() -> tuple[Language, ...]:
    """Return all languages, in the table's order."""
    text = files("tabwright.assistant").joinpath("languages.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["language"]
    return tuple(
        Language(
            name=row["name"],
            tag=row["tag"],
            fence=row.get("fence", row["name"].lower()),
            extensions=tuple(row.get("extensions", ())),
            aliases=tuple(row.get("aliases", ())),
        )
        for row in rows
    )


@cache
def _by_name() -> dict[str, Language]:
    table = {name.lower(): language for language in languages() for name in (language.fence, *language.aliases)}
    return table | {language.name.lower(): language for language in languages()}


@cache
def _by_extension() -> dict[str, Language]:
    return {extension: language for language in languages() for extension in language.extensions}


def find_language(name: str) -> Language:
    """Return the language of that name or alias, in any letter case.

    Raises:
        UnknownLanguageError: there is none.
    """
    language = _by_name().get(name.strip().lower())
    if language is None:
        near = difflib.get_close_matches(name[:_LONGEST_NAME].lower(), list(_by_name()), n=5, cutoff=0.5)
        names = sorted({_by_name()[match].name for match in near}) or [row.name for row in languages()]
        raise UnknownLanguageError(
            f"unknown language {name[:_LONGEST_NAME]!a}; did you mean one of: {', '.join(names)}?"
        )
    return language


def language_of(path: str) -> Language | None:
    """Return the language of a file by its name, or None."""
    pure = PurePath(path)
    return _by_extension().get((pure.suffix[1:] or pure.name).lower())
