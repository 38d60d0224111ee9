"""One problem and one completion in a language of the table -> what came of it.

The test and the program are two processes, each in a sandbox of its own. The test's process holds the assertions; where
they call the function, it asks, and its question is passed on to the program's process and the answer back. The program
never has a test or an expected answer in its memory, in a file that it can see, or in the compiler that built it.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tabwright.evaluation.languages.build import Builder, BuildError
from tabwright.evaluation.languages.programs import Programs, SentPrograms, ShownPrograms
from tabwright.evaluation.languages.standing import Runner, seen
from tabwright.evaluation.languages.table import Language
from tabwright.evaluation.languages.testing import ShownTests, StandingTests, Test, Tests
from tabwright.records import Problem
from tabwright.sandbox import Command, ConnectionEnded, Limits, Outcome, Result
from tabwright.sandbox.channel import TooLate

_TEST_GRACE_S = 0.5
_STANDING_CPU_S = 24 * 3600
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
        self._unsafe = unsafe
        self._packages = cache / f"{language.key}-packages"
        self._stack = ExitStack()
        limits = replace(limits, reserved_bytes=limits.reserved_bytes + language.reserved_bytes)
        try:
            self._builder = self._stack.enter_context(Builder(language, cache, unsafe=unsafe))
            self._programs = self._stack.enter_context(self._start_programs(limits))
            self._tests = self._stack.enter_context(self._start_tests(limits))
        except BaseException:
            self.close()
            raise
        self.layers = self._programs.sandbox.layers

    def judge(self, problem: Problem, completion: str) -> Result:
        """Build and run one completion against its problem's test.

        Raises:
            RecordError: the problem cannot be judged, whatever the completion.
        """
        self._language.packages.check(problem, self._packages)
        test = self._builder.test(problem)
        self._programs.prepare()
        self._tests.prepare(test)
        try:
            files = self._builder.program(problem, completion)
            with self._tests.test(test) as running, self._programs.candidate(files) as candidate:
                return self._told(self._run(candidate, files, running))
        except BuildError as error:
            return _no_result("failed", f"does not compile: {_first_line(error)}", str(error))
        except TooLate:
            return _no_result("timeout", "the compiler took too long")
        except ConnectionEnded:
            return _no_result("failed", "does not compile: the compiler broke off")

    def close(self) -> None:
        """End everything that runs."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_programs(self, limits: Limits) -> Programs:
        step, lies = self._language.program, self._language.packages.lies
        if step.sent:
            shown = {f"/{lies}": str(self._packages / lies)} if lies and (self._packages / lies).is_dir() else {}
            runner = Runner(self._language, step, self._builder.kit, limits, shown=shown, unsafe=self._unsafe)
            return SentPrograms(runner)
        return ShownPrograms(self._language, self._builder.kit, limits, unsafe=self._unsafe)

    def _start_tests(self, limits: Limits) -> Tests:
        step = self._language.test
        limits = replace(limits, timeout_s=limits.timeout_s + _TEST_GRACE_S)
        if step.stays:
            limits = replace(limits, cpu_s=_STANDING_CPU_S)
            return StandingTests(Runner(self._language, step, self._builder.kit, limits, unsafe=self._unsafe))
        shown = seen(self._language, step, self._builder.kit)
        return ShownTests(step.run, self._builder.tests, limits, shown=shown, unsafe=self._unsafe)

    def _run(self, candidate: Command, files: dict[str, bytes], test: Test) -> Result:
        try:
            self._programs.load(candidate, files)
            _relay(test, candidate)
        except (AssertionError, MemoryError, ConnectionEnded) as error:
            return candidate.finish(error)
        return candidate.finish(None)

    def _told(self, result: Result) -> Result:
        """Return the result; an end for want of memory is told as such where only the run time's words say so."""
        found = self._language.exhausted
        said = found.search(result.output) if found and result.outcome == "crashed" else None
        return replace(result, outcome="memory", error=said[0]) if said else result


def _relay(test: Test, candidate: Command) -> None:
    """Pass the test's questions on to the program until there is a verdict.

    Raises:
        AssertionError: the test was not content.
        MemoryError: the program had not enough of it.
        ConnectionEnded: the program ended, or took too long.
    """
    said = test.begin()
    while said[:1] == _CALL:
        answer = candidate.ask(said[1:])
        if answer[:1] == _NO_MEMORY:
            raise MemoryError(answer[1:].decode(errors="replace"))
        said = test.ask(answer)
    if said[:1] != _PASSED:
        raise AssertionError(said[1:].decode(errors="replace"))


def _no_result(outcome: Outcome, error: str, output: str = "") -> Result:
    return Result(outcome=outcome, error=error, duration_s=0.0, output=output)


def _first_line(error: BuildError) -> str:
    lines = str(error).splitlines()
    return next((line for line in lines if "error" in line), lines[0])[:_LONGEST_ERROR]
