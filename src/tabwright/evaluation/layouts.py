"""A row of a published data file -> a problem of ours. Rows are taken as published; nothing is mended here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tabwright.evaluation.languages.table import languages
from tabwright.evaluation.languages.units import unit_of
from tabwright.records import Problem, RecordError

Layout = Callable[[Mapping[str, Any]], Problem]

_FUNCTION = re.compile(r"^def (\w+)\(", re.MULTILINE)
_CALL_OF_CHECK = re.compile(r"\n\s*check\(\w+\)\s*\Z")


def _humanevalx_python(row: Mapping[str, Any]) -> Problem:
    """The declaration's last function is asked for. Its test calls `check` by itself; here the tester does."""
    functions = _FUNCTION.findall(str(row.get("declaration", "")))
    if not functions:
        raise RecordError("declaration must define a function, got none")
    test = _CALL_OF_CHECK.sub("\n", str(row.get("test", "")))
    return Problem.from_mapping({**row, "test": test, "entry_point": functions[-1]})


def _humanevalx(language: str) -> Layout:
    def layout(row: Mapping[str, Any]) -> Problem:
        problem = Problem.from_mapping({**row, "language": language, "entry_point": "", "preamble": _preamble(row)})
        return replace(problem, entry_point=unit_of(problem, languages()[language]).name)

    return layout


def _preamble(row: Mapping[str, Any]) -> str | None:
    """A Go program begins with what its test imports, in the place of what the prompt imports."""
    if "test_setup" not in row:
        return None
    return f"{row['test_setup']}\n{str(row.get('prompt', '')).replace(str(row.get('import', '')), '', 1)}"


LAYOUTS: dict[str, Layout] = {
    "problem": Problem.from_mapping,
    "humanevalx-python": _humanevalx_python,
    **{f"humanevalx-{language}": _humanevalx(language) for language in languages()},
}
