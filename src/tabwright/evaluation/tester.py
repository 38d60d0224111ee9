"""One problem and one completion -> what came of it. The test runs here; the program runs in the sandbox.

As in openai/human-eval the program is prompt + completion, and the suffix where the problem has one; the test's `check`
is given the function that `entry_point` names (a test without one is just run, as in MBPP); but the function that the
test holds only carries plain data to the program's process and back.

Differs: names of the prompt that a test uses (HumanEval/32, 38 and 50 call a helper that the prompt defines) are the
prompt's own, not what the completion made of them.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, TypeGuard

from tabwright.records import Problem, RecordError
from tabwright.sandbox import ConnectionEnded, Result, Sandbox
from tabwright.sandbox.channel import TooLate

# The program's own deadline is kept where its answers are read; this one ends a test that goes on by itself.
_TEST_GRACE_S = 0.5
_SIMPLE = (ast.Assert, ast.Assign, ast.AnnAssign, ast.Expr)
_CONDITIONS = (ast.BoolOp, ast.IfExp, ast.Lambda, ast.NamedExpr, ast.comprehension)
_CONSTRUCTORS = {"bytes", "dict", "float", "frozenset", "int", "list", "range", "set", "str", "tuple"}


@dataclass(kw_only=True)
class _Test:
    """A benchmark's test, made ready once.

    Attributes:
        calls: what it asks of a program: known once a program has passed; None where that is not the same each time,
            or depends on answers, which a program could then read before it gives them.
    """

    entry_point: str
    prompt: CodeType | None
    test: CodeType
    names: frozenset[str]
    has_check: bool
    calls: Sequence[bytes] | None = ()


def judge(sandbox: Sandbox, problem: Problem, completion: str) -> Result:
    """Run one completion against its problem's test.

    Must be called from the main thread of a process, as it uses SIGALRM.

    Raises:
        RecordError: the test is no Python.
    """
    setup = f"\n{problem.setup}" if problem.setup else ""
    prompt = problem.prompt if problem.preamble is None else problem.preamble
    try:
        test = _compile(prompt, problem.test, problem.entry_point, problem.task_id)
    except (SyntaxError, ValueError) as error:
        raise RecordError(f"{problem.task_id}: its test does not compile: {error}") from None
    source = problem.program(completion) + setup
    result = _judge(sandbox, source, test)
    if result is None:
        test.calls = None
        result = _judge(sandbox, source, test)
    assert result is not None, "nothing was sent ahead"
    return result


def _judge(sandbox: Sandbox, source: str, test: _Test) -> Result | None:
    """Return what came of a program, None where the test called otherwise than foreseen."""
    ended: BaseException | None = None
    with sandbox.session(source) as session:
        try:
            with _alarm(sandbox.limits.timeout_s + _TEST_GRACE_S):
                session.load(test.calls or ())
                _run(test, session.function)
        except (Exception, SystemExit, ConnectionEnded) as error:
            ended = error
        if session.unforeseen:
            return None
        if ended is None and test.calls == ():
            test.calls = session.calls
        return session.finish(ended)


def _run(test: _Test, function: Callable[[str], Callable[..., Any]]) -> None:
    scope: dict[str, Any] = {"__name__": "test"}
    if test.prompt is not None:
        exec(test.prompt, scope)  # noqa: S102 - the benchmark's own text, no part of the sample
    for name in test.names - scope.keys() - vars(builtins).keys():
        scope[name] = function(name)
    scope[test.entry_point] = function(test.entry_point)
    exec(test.test, scope)  # noqa: S102 - as above
    if test.has_check:
        scope["check"](scope[test.entry_point])


@functools.lru_cache(maxsize=4096)
def _compile(prompt: str, test: str, entry_point: str, task_id: str) -> _Test:
    name = f"<test of {task_id}>"
    prompt_code = None
    tree = ast.parse(test)
    code = compile(tree, name, "exec", dont_inherit=True)
    names = frozenset(_names(code))
    checks = [node for node in tree.body if _is_check(node)]
    called = {entry_point} | {argument.arg for check in checks for argument in check.args.args}
    with contextlib.suppress(SyntaxError):  # a prompt may end in the middle of a statement
        prompt_code = compile(prompt, name, "exec", dont_inherit=True)
    if prompt_code is not None and not names & set(prompt_code.co_names) - {entry_point}:
        prompt_code = None  # most tests use nothing of it
    return _Test(
        entry_point=entry_point,
        prompt=prompt_code,
        test=code,
        names=names,
        has_check=bool(checks),
        calls=() if _is_literal(tree, called) else None,
    )


def _is_literal(tree: ast.Module, called: set[str]) -> bool:
    """Return whether functions of these names are called in one sequence, with nothing but what stands there.

    No answer can then be read from what is called, nor from whether it is: each call is a part of a simple statement of
    the test itself or of its `check`, on no condition, and its arguments name only `_CONSTRUCTORS`, as they are.
    """
    given_names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound = given_names | {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    body = [part for node in tree.body for part in (node.body if _is_check(node) else [node])]
    counted = 0
    for statement in (node for node in body if isinstance(node, _SIMPLE)):
        nodes = list(ast.walk(statement))
        calls = [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id in called]
        if calls and any(isinstance(n, _CONDITIONS) or (isinstance(n, ast.Compare) and len(n.ops) > 1) for n in nodes):
            return False
        for call in calls:
            given = [*call.args, *(keyword.value for keyword in call.keywords)]
            names = {name.id for value in given for name in ast.walk(value) if isinstance(name, ast.Name)}
            if not names <= _CONSTRUCTORS - bound:
                return False
        counted += len(calls)
    return counted == sum(isinstance(node, ast.Name) and node.id in called for node in ast.walk(tree))


def _is_check(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and node.name == "check"


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise TooLate

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
