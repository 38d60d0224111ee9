"""The table of languages."""

from __future__ import annotations

import time

import pytest

from tabwright.assistant import UnknownLanguageError, find_language, language_of, languages


def test_the_table_has_the_67_languages_of_codegeex2() -> None:
    assert len(languages()) == 67
    assert len({language.name for language in languages()}) == 67
    assert all("language:" in language.tag for language in languages())


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("Python", "# language: Python"),
        ("python", "# language: Python"),
        ("C++", "// language: C++"),
        ("cpp", "// language: C++"),
        ("HTML", "<!--language: HTML-->"),
        (" SQL ", "-- language: SQL"),
    ],
)
def test_names_and_aliases_find_their_tag(name: str, tag: str) -> None:
    assert find_language(name).tag == tag


def test_an_unknown_name_lists_near_ones() -> None:
    with pytest.raises(UnknownLanguageError, match=r"'Pyhton'.*Python"):
        find_language("Pyhton")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.py", "Python"),
        ("x.hpp", "C++"),
        ("Dockerfile", "Dockerfile"),
        ("A.TSX", "TypeScript"),
        ("x.unknown", None),
    ],
)
def test_a_file_s_name_tells_its_language(path: str, name: str | None) -> None:
    found = language_of(path)
    assert (found.name if found else None) == name


def test_a_name_without_end_is_refused_at_once_and_shown_short() -> None:
    began = time.monotonic()
    with pytest.raises(UnknownLanguageError) as caught:
        find_language("x\n" * 2_000_000)
    assert time.monotonic() - began < 0.5
    assert len(str(caught.value)) < 1500
    assert "\n" not in str(caught.value)
