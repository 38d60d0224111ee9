"""Runs programs against the test that wants `task` to sort, and says which came to another end than they state.

`python outcomes.py PROGRAM...` prints the mismatches as JSON; the tests use `mismatch` as well.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from tabwright.evaluation import judge
from tabwright.records import Problem
from tabwright.sandbox import Limits, Sandbox

TEST = """
SECRET = "SECRET-EXPECTED"

def check(candidate):
    assert candidate([3, 1, 2]) == [1, 2, 3]
    assert candidate([9, 7, 9, 8]) == [7, 8, 9, 9]
    assert candidate([5]) == [5]
"""
PROBLEM = Problem(task_id="sort", prompt="", entry_point="task", test=TEST)
LIMITS = Limits(timeout_s=3.0, memory_bytes=640 << 20)
SORTS = "def task(numbers):\n    return sorted(numbers)\n"


def mismatch(sandbox: Sandbox, path: Path) -> str:
    """Return how a program's outcome differs from "# expect: OUTCOME ERROR", a regular expression for all of it."""
    text = path.read_text(encoding="utf-8")
    stated = re.search(r"^# expect: (.*)$", text, re.MULTILINE)
    assert stated is not None, path
    result = judge(sandbox, PROBLEM, text)
    got = f"{result.outcome} {result.error or ''}".strip()
    if not re.fullmatch(stated[1], got):
        return f"expected {stated[1]}, got {got}; output: {result.output[-500:]}"
    after = judge(sandbox, PROBLEM, SORTS)
    return "" if after.outcome == "passed" else f"the program after it: {after}"


def main() -> None:
    """Print the mismatches of the programs named on the command line."""
    found = {}
    with Sandbox(LIMITS) as sandbox:
        for name in sys.argv[1:]:
            found[name] = mismatch(sandbox, Path(name))
    print(json.dumps({name: difference for name, difference in found.items() if difference}))


if __name__ == "__main__":
    main()
