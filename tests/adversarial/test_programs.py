"""Every program in `programs/` gets the outcome that its second line states, whether it is hostile or innocent.

A program is the completion; the test wants `task` to sort. "# expect: OUTCOME ERROR" is a regular expression that
must match the whole, so that a program which fails for another reason (a broken codec, say) is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tabwright.evaluation import judge
from tabwright.records import Problem
from tabwright.sandbox import Limits, Sandbox

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*/*.py"))
TEST = """
SECRET = "SECRET-EXPECTED"

def check(candidate):
    assert candidate([3, 1, 2]) == [1, 2, 3]
    assert candidate([9, 7, 9, 8]) == [7, 8, 9, 9]
    assert candidate([5]) == [5]
"""
PROBLEM = Problem(task_id="sort", prompt="", entry_point="task", test=TEST)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(timeout_s=3.0, memory_bytes=640 << 20)) as sandbox:
        yield sandbox


def test_there_are_enough_programs() -> None:
    assert len([path for path in PROGRAMS if path.parent.name == "hostile"]) >= 60
    assert len([path for path in PROGRAMS if path.parent.name == "innocent"]) >= 12


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_outcome(sandbox: Sandbox, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    stated = re.search(r"^# expect: (.*)$", text, re.MULTILINE)
    assert stated is not None
    result = judge(sandbox, PROBLEM, text)
    got = f"{result.outcome} {result.error or ''}".strip()
    assert re.fullmatch(stated[1], got), f"expected {stated[1]}, got {got}; output: {result.output[-500:]}"
    after = judge(sandbox, PROBLEM, "def task(numbers):\n    return sorted(numbers)\n")
    assert after.outcome == "passed", f"the program after it: {after}"
