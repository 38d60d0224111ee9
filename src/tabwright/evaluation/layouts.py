"""The rows of a published data file -> problems of ours. Rows are taken as published; nothing is mended here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tabwright.evaluation.languages.table import languages
from tabwright.evaluation.languages.units import unit_of
from tabwright.records import Problem, RecordError

Row = Mapping[str, Any]
Layout = Callable[[Iterable[Row]], Iterator[Problem]]

_DEFINITION = re.compile(r"^(?:def|class) (\w+)", re.MULTILINE)
_FUNCTION = re.compile(r"^def (\w+)\(", re.MULTILINE)
_CALL_OF_CHECK = re.compile(r"\n\s*check\(\w+\)\s*\Z")
# What CodeGeeX2's harness imports for every Python program, but for NumPy.
_HUMANEVALX_IMPORTS = """\
import math
import re
import sys
import copy
import datetime
import itertools
import collections
import heapq
import statistics
import functools
import hashlib
import string
from typing import *
from collections import *
"""
_MBPP_TESTS = range(11, 511)
_MBPP_EXAMPLES = (2, 3, 4)
_MBPP_TASK = """\
You are an expert Python programmer, and here is your task: {text} Your code should pass these tests:

{tests}
[BEGIN]
"""
_MBPP_DONE = "[DONE]"
_MBPP_STOPS = ["\nassert", '\n"""', "\nprint(", "\nif __name__", "\n```"]


def _each(problem_of: Callable[[Row], Problem]) -> Layout:
    def layout(rows: Iterable[Row]) -> Iterator[Problem]:
        for number, row in enumerate(rows, start=1):
            try:
                yield problem_of(row)
            except RecordError as error:
                raise RecordError(f"record {number}: {error}") from None

    return layout


def _humanevalx_python(row: Row) -> Problem:
    """The declaration's last function is asked for. Its test calls `check` by itself; here the tester does."""
    functions = _FUNCTION.findall(str(row.get("declaration", "")))
    if not functions:
        raise RecordError("declaration must define a function, got none")
    test = _CALL_OF_CHECK.sub("\n", str(row.get("test", "")))
    preamble = f"{_HUMANEVALX_IMPORTS}{row.get('prompt', '')}"
    return Problem.from_mapping({**row, "test": test, "entry_point": functions[-1], "preamble": preamble})


def _humanevalx(key: str) -> Callable[[Row], Problem]:
    def problem_of(row: Row) -> Problem:
        problem = Problem.from_mapping({**row, "language": key, "entry_point": "", "preamble": _preamble(row)})
        return replace(problem, entry_point=unit_of(problem, languages()[key]).name)

    return problem_of


def _preamble(row: Row) -> str | None:
    """A Go program begins with what its test imports, in the place of what the prompt imports."""
    if "test_setup" not in row:
        return None
    return f"{row['test_setup']}\n{str(row.get('prompt', '')).replace(str(row.get('import', '')), '', 1)}"


def _single_line(row: Row) -> Problem:
    """One line is asked for, and a sample is one line; the line's end belongs to what follows it."""
    problem = Problem.from_mapping(row)
    line = problem.canonical_solution.removesuffix("\n")
    return replace(problem, canonical_solution=line, suffix=f"\n{problem.suffix}", stops=["\n"])


def _mbpp(prompt_of: Callable[[Row, Sequence[Row]], Row]) -> Layout:
    """The test split of MBPP; `prompt_of` gives what is asked, from a row and the rows shown as examples."""

    def layout(rows: Iterable[Row]) -> Iterator[Problem]:
        by_id = {row["task_id"]: {**row, "code": row["code"].replace("\r\n", "\n").strip("\n")} for row in rows}
        examples = [by_id[number] for number in _MBPP_EXAMPLES if number in by_id]
        for number in _MBPP_TESTS:
            if number in by_id:
                yield _mbpp_problem(by_id[number], prompt_of(by_id[number], examples))

    return layout


def _mbpp_problem(row: Row, asked: Row) -> Problem:
    tests = "".join(f"{line.strip()}\n" for line in row["test_list"])
    return Problem.from_mapping(
        {
            "task_id": f"MBPP/{row['task_id']}",
            "entry_point": _entry_of(row["code"], tests),
            "test": tests,
            "canonical_solution": row["code"] + "\n",
            "preamble": "",
            "setup": row["test_setup_code"].replace("\r\n", "\n"),
            **asked,
        }
    )


def _entry_of(code: str, tests: str) -> str:
    """Return the function of the program that the tests call first."""
    defined = set(_DEFINITION.findall(code))
    called = [match[1] for match in re.finditer(r"\b(\w+)\s*\(", tests) if match[1] in defined]
    if not called:
        raise RecordError("the tests call no function that the code defines")
    return called[0]


def _three_shot(row: Row, examples: Sequence[Row]) -> Row:
    """Austin et al. 2021, section 3 and appendix A: three solved tasks, then the one asked."""
    shown = "".join(f"{_mbpp_task(example)}{example['code']}\n{_MBPP_DONE}\n\n" for example in examples)
    return {"prompt": shown + _mbpp_task(row), "form": "text", "stops": [f"\n{_MBPP_DONE}", _MBPP_DONE]}


def _mbpp_task(row: Row) -> str:
    return _MBPP_TASK.format(text=row["text"], tests="\n".join(row["test_list"]))


def _zero_shot(row: Row, examples: Sequence[Row]) -> Row:
    tests = "\n".join(row["test_list"])
    return {"prompt": f'"""\n{row["text"]}\n{tests}\n"""\n', "stops": _MBPP_STOPS}


LAYOUTS: dict[str, Layout] = {
    "problem": _each(Problem.from_mapping),
    "single-line": _each(_single_line),
    "humanevalx-python": _each(_humanevalx_python),
    "mbpp-three-shot": _mbpp(_three_shot),
    "mbpp-zero-shot": _mbpp(_zero_shot),
    **{f"humanevalx-{key}": _each(_humanevalx(key)) for key in languages()},
}
