"""A worker process: jobs on standard input, results on standard output, one JSON object a line.

It holds tests and a sandbox. The first line it reads are the settings, the first that it writes the active layers.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from tabwright.evaluation.tester import judge
from tabwright.records import Problem
from tabwright.sandbox import Limits, Sandbox, SandboxError, kernel


def main() -> None:
    """Judge samples until standard input ends."""
    kernel.die_with_parent()
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a test that prints must not be read as a result
    settings: dict[str, Any] = json.loads(sys.stdin.readline())

    def reply(row: dict[str, Any]) -> None:
        results.write(json.dumps(row) + "\n")
        results.flush()

    try:
        limits = Limits(**settings["limits"])
        with Sandbox(limits, packages=settings["packages"], unsafe=settings["unsafe"]) as sandbox:
            reply({"layers": sandbox.layers})
            for line in sys.stdin:
                job = json.loads(line)
                result = judge(sandbox, Problem.from_mapping(job["problem"]), job["completion"])
                reply({"outcome": result.outcome, "error": result.error, "duration_s": result.duration_s})
    except SandboxError as error:
        reply({"refused": str(error)})
