"""One problem and one completion in a compiled language -> what came of it.

The test and the program are two processes, each in a sandbox of its own. The test's process holds the assertions; where
they call the function, it asks, and its question is passed on to the program's process and the answer back. The program
never has a test or an expected answer in its memory, in a file that it can see, or in the compiler that built it.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tabwright.evaluation.languages.build import KIT, Builder, BuildError, write_folder
from tabwright.evaluation.languages.table import Language
from tabwright.records import Problem
from tabwright.sandbox import Command, ConnectionEnded, Limits, Result, Sandbox
from tabwright.sandbox.channel import HungUp

_TEST_GRACE_S = 0.5
_LONGEST_ERROR = 200
_PASSED, _CALL, _NO_MEMORY = b"P", b"C", b"M"


class Judge:
    """Judges samples in one language; a context manager.

    Args:
        language: a row of the table.
        limits: what each program may use.
        cache: where built parts are kept.
        unsafe: run even where programs cannot be isolated.

    Raises:
        RecordError: a tool is missing.
        SandboxError: programs cannot be isolated here.
    """

    def __init__(self, language: Language, limits: Limits, cache: Path, *, unsafe: bool = False) -> None:
        self._language = language
        self._stack = ExitStack()
        try:
            self._builder = self._stack.enter_context(Builder(language, cache, unsafe=unsafe))
            self._builds = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tabwright-programs-")))
            self._builds.chmod(0o755)
            kit = {KIT: str(self._builder.kit)} if "{kit}" in language.program.shows else {}
            self._programs = self._start(limits, self._builds, unsafe, kit)
            patient = replace(limits, timeout_s=limits.timeout_s + _TEST_GRACE_S)
            self._testers = self._start(patient, self._builder.tests, unsafe)
        except BaseException:
            self.close()
            raise
        self.layers = self._programs.layers

    def judge(self, problem: Problem, completion: str) -> Result:
        """Build and run one completion against its problem's test.

        Raises:
            RecordError: the problem cannot be judged, whatever the completion.
        """
        test = self._builder.test(problem)
        try:
            files = self._builder.program(problem, completion)
        except BuildError as error:
            return Result(
                outcome="failed", error=f"does not compile: {_first_line(error)}", duration_s=0.0, output=str(error)
            )
        except ConnectionEnded:
            return Result(outcome="timeout", error="the compiler took too long", duration_s=0.0, output="")
        folder = self._builds / secrets.token_hex(8)
        write_folder(folder, files)
        try:
            return self._run(test.name, folder.name)
        finally:
            shutil.rmtree(folder)

    def close(self) -> None:
        """End everything that runs."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, limits: Limits, builds: Path, unsafe: bool, shown: Mapping[str, str] | None = None) -> Sandbox:
        return self._stack.enter_context(Sandbox(limits, rights="execute", shown=shown, builds=builds, unsafe=unsafe))

    def _run(self, test: str, program: str) -> Result:
        with (
            self._testers.command(self._language.test.run, test) as tester,
            self._programs.command(self._language.program.run, program) as candidate,
        ):
            try:
                tester.start()
                candidate.start()
                _ask(tester, candidate)
            except (AssertionError, MemoryError, ConnectionEnded) as error:
                return candidate.finish(error)
            return candidate.finish(None)


def _ask(tester: Command, candidate: Command) -> None:
    """Pass the test's questions on to the program until there is a verdict.

    Raises:
        AssertionError: the test was not content.
        MemoryError: the program had not enough of it.
        ConnectionEnded: the program ended, or took too long.
    """
    answer = b""
    while True:
        try:
            said = tester.ask(answer)
        except HungUp as error:
            raise AssertionError(tester.finish(error).output.strip() or "the test broke off") from None
        if said[:1] != _CALL:
            break
        answer = candidate.ask(said[1:])
        if answer[:1] == _NO_MEMORY:
            raise MemoryError(answer[1:].decode(errors="replace"))
    if said[:1] != _PASSED:
        raise AssertionError(said[1:].decode(errors="replace"))


def _first_line(error: BuildError) -> str:
    lines = str(error).splitlines()
    return next((line for line in lines if "error" in line), lines[0])[:_LONGEST_ERROR]
