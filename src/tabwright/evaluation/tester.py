"""One problem and one completion -> what came of it. The test runs here; the program runs in the sandbox.

As in openai/human-eval the program is prompt + completion, and the suffix where the problem has one; the test's `check`
is given the function that `entry_point` names (a test without one is just run, as in MBPP); but the function that the
test holds only carries plain data to the program's process and back.

Differs: names of the prompt that a test uses (HumanEval/32, 38 and 50 call a helper that the prompt defines) are the
prompt's own, not what the completion made of them.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import inspect
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from tabwright.records import Problem, RecordError
from tabwright.sandbox import ConnectionEnded, Result, Sandbox, Session
from tabwright.sandbox.channel import TooLate
from tabwright.sandbox.codec import RemoteFunction

# The program's own deadline is kept where its answers are read; this one ends a test that goes on by itself.
_TEST_GRACE_S = 0.5
# A test that catches everything is told again.
_RINGING_S = 1.0


@dataclass(frozen=True, kw_only=True)
class _Test:
    """A benchmark's test, made ready once."""

    task_id: str
    entry_point: str
    prompt: CodeType | None
    test: CodeType
    names: frozenset[str]


def judge(sandbox: Sandbox, problem: Problem, completion: str) -> Result:
    """Run one completion against its problem's test.

    Must be called from the main thread of a process, as it uses SIGALRM.

    Raises:
        RecordError: the test is no Python, or calls nothing.
    """
    setup = f"\n{problem.setup}" if problem.setup else ""
    prompt = problem.prompt if problem.preamble is None else problem.preamble
    try:
        test = _compile(prompt, problem.test, problem.entry_point, problem.task_id)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        raise RecordError(f"{problem.task_id}: its test does not compile: {reason}") from None
    with sandbox.session(problem.program(completion) + setup) as session:
        return session.finish(_outcome(session, test, sandbox.limits.timeout_s + _TEST_GRACE_S))


def _outcome(session: Session, test: _Test, seconds: float) -> BaseException | None:
    """Run the test; return what it raised."""
    ended: BaseException | None = None
    alarm = _Alarm()
    try:
        with alarm.set(seconds):
            session.load()
            _run(test, session.function)
    except RecordError:
        raise
    except (Exception, SystemExit, ConnectionEnded) as error:
        ended = error
    if alarm.rang:  # whatever the test made of it
        return TooLate()
    if ended is None and not session.n_calls:
        raise RecordError(f"{test.task_id}: its test calls nothing of the program, so everything would pass")
    return ended


def _run(test: _Test, function: Callable[[str], Callable[..., Any]]) -> None:
    scope: dict[str, Any] = {"__name__": "test"}
    if test.prompt is not None:
        exec(test.prompt, scope)  # noqa: S102 - the benchmark's own text, no part of the sample
    for name in test.names - scope.keys() - vars(builtins).keys():
        scope[name] = function(name)
    scope[test.entry_point] = function(test.entry_point)
    exec(test.test, scope)  # noqa: S102 - as above
    check = scope.get("check")
    if callable(check) and not isinstance(check, RemoteFunction):
        answer = check(scope[test.entry_point])
        if inspect.iscoroutine(answer) or inspect.isgenerator(answer):
            answer.close()
            raise RecordError(f"{test.task_id}: its check is a coroutine or a generator, which runs nothing")


@functools.lru_cache(maxsize=4096)
def _compile(prompt: str, test: str, entry_point: str, task_id: str) -> _Test:
    name = f"<test of {task_id}>"
    prompt_code = None
    code = compile(test, name, "exec", dont_inherit=True)
    names = frozenset(_names(code))
    with contextlib.suppress(SyntaxError):  # a prompt may end in the middle of a statement
        prompt_code = compile(prompt, name, "exec", dont_inherit=True)
    if prompt_code is not None and not names & set(prompt_code.co_names) - {entry_point}:
        prompt_code = None  # most tests use nothing of it
    return _Test(task_id=task_id, entry_point=entry_point, prompt=prompt_code, test=code, names=names)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


class _Alarm:
    """Ends a test that goes on by itself.

    Attributes:
        rang: whether it did.
    """

    def __init__(self) -> None:
        self.rang = False

    @contextlib.contextmanager
    def set(self, seconds: float) -> Iterator[None]:
        """Ring after so many seconds, and every second from then on, until the context is left."""
        before = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, seconds, _RINGING_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        self.rang = True
        raise TooLate
