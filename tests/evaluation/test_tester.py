"""HumanEval through the sandbox: every canonical solution passes, nothing does not; tests cannot be faked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tabwright.evaluation import judge, load_benchmark
from tabwright.records import Problem, RecordError
from tabwright.sandbox import Limits, Result, Sandbox

Published = Callable[[str], dict[str, Problem]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(timeout_s=15.0)) as sandbox:  # MBPP/123 alone computes for a second
        yield sandbox


@pytest.fixture(scope="module")
def humaneval(benchmarks: Path) -> dict[str, Problem]:
    return load_benchmark("humaneval", directory=benchmarks)


def test_canonical_solutions_pass(sandbox: Sandbox, humaneval: dict[str, Problem]) -> None:
    results = {t: judge(sandbox, p, p.canonical_solution) for t, p in humaneval.items()}
    assert len(results) == 164
    assert {t: r for t, r in results.items() if r.outcome != "passed"} == {}


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("humaneval-infilling-single-line", 10),
        ("humaneval-infilling-multi-line", 50),
        ("humaneval-infilling-random-span-light", 2),
        ("humanevalx-python", 1),
        ("mbpp", 1),
    ],
)
def test_canonical_solutions_of_the_other_benchmarks_pass(
    sandbox: Sandbox, published: Published, name: str, step: int
) -> None:
    problems = list(published(name).values())[::step]
    assert len(problems) > 80
    results = {p.task_id: judge(sandbox, p, p.canonical_solution) for p in problems}
    assert {t: r for t, r in results.items() if r.outcome != "passed"} == {}
    wrong = [judge(sandbox, problem, "(").outcome for problem in problems[:20]]
    assert wrong == ["failed"] * 20


def test_returning_nothing_fails(sandbox: Sandbox, humaneval: dict[str, Problem]) -> None:
    results = [judge(sandbox, problem, "    return None\n") for problem in humaneval.values()]
    assert [result.outcome for result in results] == ["failed"] * 164


def test_a_helper_of_the_prompt_cannot_be_replaced(sandbox: Sandbox, humaneval: dict[str, Problem]) -> None:
    cheat = "    return 0.0\n\n\ndef poly(xs, x):\n    return 0.0\n"
    assert judge(sandbox, humaneval["HumanEval/32"], cheat).outcome == "failed"


def one(sandbox: Sandbox, completion: str, test: str, prompt: str = "def f(x):\n") -> Result:
    return judge(sandbox, Problem(task_id="t", prompt=prompt, entry_point="f", test=test), completion)


def test_an_error_that_the_test_expects(sandbox: Sandbox) -> None:
    test = "def check(c):\n    try:\n        c(1)\n    except ValueError:\n        return\n    assert False\n"
    assert one(sandbox, "    raise ValueError('x')", test).outcome == "passed"
    assert one(sandbox, "    raise TypeError('x')", test).error == "TypeError: x"
    assert one(sandbox, "    return 1", test).error == "AssertionError"


def test_a_test_that_swallows_everything_is_not_believed(sandbox: Sandbox) -> None:
    test = "def check(c):\n    try:\n        c(1)\n    except BaseException:\n        pass\n"
    assert one(sandbox, "    import os; os._exit(0)", test).outcome == "crashed"
    assert one(sandbox, "    while True: pass", test).outcome == "timeout"


def test_a_completion_that_is_no_program(sandbox: Sandbox) -> None:
    test = "def check(c):\n    pass\n"
    assert (one(sandbox, "    return (", test).error or "").startswith("SyntaxError")
    assert one(sandbox, "    return \0", test).outcome == "failed"
    assert one(sandbox, "    return '\ud800'", test).outcome == "failed"


def test_a_test_that_never_ends(sandbox: Sandbox) -> None:
    assert one(sandbox, "    return 1", "def check(c):\n    while c: pass\n").outcome == "timeout"


def test_names_that_only_the_program_defines(sandbox: Sandbox) -> None:
    test = "def check(c):\n    assert c(2) == twice(2) == 4\n"
    completion = "    return twice(x)\ndef twice(x):\n    return 2 * x\n"
    assert one(sandbox, completion, test).outcome == "passed"
    assert one(sandbox, completion, test, prompt="def f(x):\n    # unfinished\n").outcome == "passed"


def test_the_program_sees_no_test(sandbox: Sandbox) -> None:
    test = "MARK = 'only-in-the-test'\ndef check(c):\n    assert c(1) is False, MARK\n"
    search = (
        "    import ctypes, gc, sys\n    gc.unfreeze()\n"
        "    return any(type(o) is str and o == 'only' + '-in-the-test' for o in gc.get_objects())\n"
    )
    assert one(sandbox, search, test).outcome == "passed"


def conversation(test: str) -> Problem:
    return Problem(task_id="own/1", prompt="", entry_point="f", test=test)


@pytest.mark.parametrize(
    ("test", "good", "bad"),
    [
        ("def check(f):\n    assert [f(n) for n in range(9)] == list(range(9))", "return x", "return min(x, 7)"),
        (
            "def check(f):\n    assert f(1) == 1\n    assert f(2) == 2",
            "return x",
            "return 0 if x == 1 else next(iter(int, 1))",
        ),
        ("import random\ndef check(f):\n    n = random.random()\n    assert f(n) == n", "return x", "return 1"),
        ("def check(f):\n    assert f(f(1)) in (1, 3)", "return x", "return x + 2"),
        ("def check(f):\n    assert f(f(1)) in (1, 3)", "return x + 1", "return x"),
        ("def check(f):\n    assert f(lambda: 5) == 5\n    assert f(lambda: 6) == 6", "return x()", "return 5"),
        (
            "def check(f):\n    assert list(f(3)) == [0, 1, 2]\n    assert list(f(1)) == [0]",
            "return list(range(x))",
            "return range(2)",
        ),
        (
            "def check(f):\n    assert list(f(3)) == [0, 1, 2]\n    assert list(f(1)) == [0]",
            "yield from range(x)",
            "return [0, 1, 2]",
        ),
        (
            "def check(f):\n    x = [1]\n    f(x)\n    f(x)\n    assert x == [1, 1, 1]",
            "x.append(1)",
            "return x.append(1) if len(x) == 1 else x.clear()",
        ),
    ],
)
def test_one_program_s_verdict_does_not_depend_on_those_before_it(
    sandbox: Sandbox, test: str, good: str, bad: str
) -> None:
    problem = conversation(test)
    expected = {good: "passed", bad: judge(sandbox, problem, f"def f(x):\n    {bad}\n").outcome}
    for body in (good, bad, good, good, bad, bad, good):
        assert judge(sandbox, problem, f"def f(x):\n    {body}\n").outcome == expected[body], body


def test_a_program_that_returns_an_iterator_where_others_returned_a_list_is_judged_like_them(sandbox: Sandbox) -> None:
    test = "".join(f"    assert list(f({n})) == list(range({n}))\n" for n in range(5))
    problem = conversation(f"def check(f):\n{test}")
    for body in ("return list(range(x))", "yield from range(x)", "return map(int, range(x))", "return list(range(x))"):
        assert judge(sandbox, problem, f"def f(x):\n    {body}\n").outcome == "passed", body


PEEK = """
import sys
def f(x):
    raise ValueError(f"there is {bytes(sys._getframe(1).f_locals['self']._channel._buffer)} to read")
"""


def test_nothing_is_there_to_read_but_the_call_itself(sandbox: Sandbox) -> None:
    problem = conversation("def check(f):\n    assert f(3) == 4\n    assert f(4) == 5")
    for _ in range(2):
        assert judge(sandbox, problem, "def f(x):\n    return x + 1\n").outcome == "passed"
    assert judge(sandbox, problem, PEEK).error == "ValueError: there is b'' to read"


RIGHT, WRONG = "def f(x):\n    return x + 1\n", "def f(x):\n    return x\n"


@pytest.mark.parametrize(
    "test",
    [
        "if True:\n    def check(f):\n        assert f(3) == 4",
        "try:\n    def check(f):\n        assert f(3) == 4\nfinally:\n    pass",
        "def hidden(f):\n    assert f(3) == 4\ncheck = hidden",
        "class Tests:\n    def check(self, f):\n        assert f(3) == 4\ncheck = Tests().check",
    ],
)
def test_a_check_is_called_however_it_is_made(sandbox: Sandbox, test: str) -> None:
    assert judge(sandbox, conversation(test), RIGHT).outcome == "passed"
    assert judge(sandbox, conversation(test), WRONG).outcome == "failed"


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("", "calls nothing of the program"),
        ("def test_f(f):\n    assert f(3) == 4", "calls nothing of the program"),
        (
            "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        assert f(3) == 4",
            "calls nothing",
        ),
        ("async def check(f):\n    assert f(3) == 4", "its check is a coroutine or a generator"),
        ("def check(f):\n    assert f(3) == 4\n    yield", "its check is a coroutine or a generator"),
    ],
)
def test_a_test_that_runs_nothing_is_an_error_of_the_problem(sandbox: Sandbox, test: str, message: str) -> None:
    with pytest.raises(RecordError, match=rf"^own/1: .*{message}"):
        judge(sandbox, conversation(test), WRONG)


def test_a_test_that_catches_everything_cannot_run_for_ever(sandbox: Sandbox) -> None:
    test = (
        "def check(f):\n    ok = False\n"
        "    try:\n        for _ in range(f(9)): pass\n    except BaseException: ok = True\n    assert ok"
    )
    assert judge(sandbox, conversation(test), "def f(x):\n    return 10**15\n").outcome == "timeout"


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        ("ValueError", "import json; json.loads('{')"),
        ("ValueError", "type('Own', (ValueError,), {})"),
        ("ValueError", "b'\\xff'.decode()"),
        ("LookupError", "{}['x']"),
        ("OSError", "open('/nothing')"),
        ("Exception", "type('Own', (Exception,), {})"),
    ],
)
def test_an_exception_is_caught_as_in_one_process(sandbox: Sandbox, kind: str, raised: str) -> None:
    test = f"def check(f):\n    try:\n        f(1)\n    except {kind}:\n        return\n    assert False"
    raises = f"raise {raised}('x')" if raised.startswith("type") else raised
    assert judge(sandbox, conversation(test), f"def f(x):\n    {raises}\n").outcome == "passed"


def test_an_exception_of_one_s_own_keeps_its_name(sandbox: Sandbox) -> None:
    program = "class Own(ValueError): pass\ndef f(x):\n    raise Own('why')\n"
    assert judge(sandbox, conversation("assert f(1) == 1"), program).error == "Own: why"


def test_a_test_that_is_no_python_is_an_error_of_the_problem(sandbox: Sandbox) -> None:
    for test in ("def check(f:", "assert f(1)\0 == 1", f"assert f(1) == {'-' * 200_000}1"):
        with pytest.raises(RecordError, match=r"^own/1: its test does not compile: "):
            judge(sandbox, conversation(test), "def f(x):\n    return 1\n")
