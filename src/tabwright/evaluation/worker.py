"""A worker process: jobs on standard input, results on standard output, one JSON object a line.

It holds tests and sandboxes. The first line it reads are the settings, the first that it writes the active layers.
Its own address space is limited, in case that a test makes more of an answer than the reader of answers accepts.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from tabwright.evaluation.languages import Judge, languages
from tabwright.evaluation.tester import judge
from tabwright.records import Problem, RecordError
from tabwright.sandbox import Limits, Result, Sandbox, SandboxError
from tabwright.sandbox.linux import kernel

# Generous: a worker takes 26 MiB of address space, and 183 MiB once NumPy has multiplied on two cores.
_MEMORY_BYTES = 4 << 30
# Of what a program wrote, so much is kept of its beginning and of its end.
_KEPT_CHARACTERS = 1_000


def main() -> None:
    """Judge samples until standard input ends."""
    kernel.die_with_parent()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = _MEMORY_BYTES if most == resource.RLIM_INFINITY else min(_MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, most))  # the sandbox, its child, sets both anew
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a test that prints must not be read as a result
    sys.stdout = sys.stderr = _Printable(sys.stderr)
    settings: dict[str, Any] = json.loads(sys.stdin.readline())

    def reply(row: dict[str, Any]) -> None:
        results.write(json.dumps(row) + "\n")
        results.flush()

    try:
        with _Judges(settings) as judges:
            reply({"layers": judges.layers})
            problems: dict[str, Problem] = {}
            for line in sys.stdin:
                job = json.loads(line)
                try:
                    if "problem" in job:
                        problems[job["task_id"]] = Problem.from_mapping(job["problem"])
                    result = judges.judge(problems[job["task_id"]], job["completion"])
                except RecordError as error:
                    reply({"wrong": str(error)})
                    continue
                verdict = {"outcome": result.outcome, "error": result.error, "duration_s": result.duration_s}
                reply(verdict | {"output": _shorten(result.output)})
    except SandboxError as error:
        reply({"refused": str(error)})


class _Printable(io.TextIOBase):
    """Passes on what tests print, answers among it, with escapes for what a terminal would take for a command."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        self._file.write("".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text))
        self._file.flush()
        return len(text)


class _Judges:
    """Judges of every language, each started when it is first needed."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings
        self._limits = Limits(**settings["limits"])
        self._stack = ExitStack()
        self._others: dict[str, Judge] = {}
        self._python = self._stack.enter_context(
            Sandbox(self._limits, packages=settings["packages"], unsafe=settings["unsafe"])
        )
        self.layers = self._python.layers

    def judge(self, problem: Problem, completion: str) -> Result:
        if problem.language == "python":
            return judge(self._python, problem, completion)
        key = problem.language
        if key not in self._others:
            kits, unsafe = Path(self._settings["kits"]), self._settings["unsafe"]
            self._others[key] = self._stack.enter_context(Judge(languages()[key], self._limits, kits, unsafe=unsafe))
        return self._others[key].judge(problem, completion)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _shorten(text: str) -> str:
    left_out = len(text) - 2 * _KEPT_CHARACTERS
    if left_out <= 0:
        return text
    return f"{text[:_KEPT_CHARACTERS]}\n[... {left_out:,} characters left out ...]\n{text[-_KEPT_CHARACTERS:]}"
