"""How problems are asked, in every language; where a sample ends cuts no canonical solution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tabwright.evaluation import benchmarks as known_benchmarks
from tabwright.records import Problem, RecordError
from tabwright.sampling import ChatPrompt, InfillPrompt, TextPrompt
from tabwright.sampling.blocks import BlockMatcher
from tabwright.sampling.samples import ask
from tabwright.sampling.samples.problems import InfillStyle
from tabwright.sampling.stops import StopMatcher


@pytest.mark.parametrize("name", sorted(known_benchmarks()))
def test_no_canonical_solution_is_cut(name: str, published: Callable[[str], dict[str, Problem]]) -> None:
    cut = []
    for problem in published(name).values():
        question = ask(problem, "infill" if problem.suffix else "completion")
        block, stops = BlockMatcher(question.block), StopMatcher(question.stops)
        solution = problem.canonical_solution
        shown = stops.push(block.push(solution)) + stops.push(block.flush()) + stops.flush()
        if shown.rstrip() != solution.rstrip():
            cut.append(problem.task_id)
    assert not cut


SOURCE = Problem(
    task_id="Python/1",
    prompt="",
    entry_point="add",
    test="",
    declaration="def add(a, b):\n",
    canonical_solution="    return a + b\n",
)
TARGET = Problem(
    task_id="Go/1",
    prompt="// Adds.\nfunc Add(a int, b int) int {\n",
    entry_point="Add",
    test="",
    language="go",
    declaration="\nfunc Add(a int, b int) int {\n",
)


def test_a_translation_shows_the_solution_and_the_declaration() -> None:
    prompt = ask(TARGET, "completion", SOURCE).prompt
    assert isinstance(prompt, TextPrompt)
    assert prompt.text == (
        "code translation\nPython:\ndef add(a, b):\n    return a + b\n\nGo:\n\nfunc Add(a int, b int) int {\n"
    )
    prompt = ask(TARGET, "fence", SOURCE).prompt
    assert isinstance(prompt, ChatPrompt)
    assert prompt.opening == "```go\nfunc Add(a int, b int) int {\n"
    assert "Translate the following Python code into Go" in prompt.messages[0].content


def test_a_language_is_named_above_the_code() -> None:
    prompt = ask(TARGET, "tagged").prompt
    assert isinstance(prompt, TextPrompt)
    assert prompt.text == f"// language: Go\n{TARGET.prompt}"


@pytest.mark.parametrize(("style", "order"), [("infill", "psm"), ("infill-spm", "spm")])
def test_the_order_of_an_infill_prompt(style: InfillStyle, order: str) -> None:
    prompt = ask(replace(SOURCE, prompt="def f(", suffix="):\n"), style).prompt
    assert isinstance(prompt, InfillPrompt)
    assert (prompt.prefix, prompt.suffix, prompt.order) == ("def f(", "):\n", order)


@pytest.mark.parametrize(
    ("problem", "style", "message"),
    [
        (TARGET, "chat", "a whole Go program cannot follow its own beginning"),
        (Problem(task_id="t", prompt="", entry_point="", test="", language="vax"), "fence", "'vax' is unknown; known"),
        (Problem(task_id="t", prompt="", entry_point="", test="", form="text"), "fence", "only completion suits it"),
    ],
)
def test_a_style_that_does_not_suit_is_named(problem: Problem, style: str, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        ask(problem, style)  # type: ignore[arg-type]
    with pytest.raises(RecordError, match="needs declarations and a solution"):
        ask(problem, "completion", TARGET) if problem.language != "vax" else ask(TARGET, "completion", TARGET)
