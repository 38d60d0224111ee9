"""Suggestions: the right prompt for each model, and real ones from real models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tabwright.assistant import Cursor, find_language, prompt_for, question_about, suggest, tasks
from tabwright.evaluation import load_benchmark
from tabwright.sampling import ChatPrompt, Engine, InfillPrompt, SamplingOptions, TextPrompt
from tabwright.sampling.llamacpp import LlamaCppEngine
from tabwright.sampling.samples import ask

PYTHON = find_language("Python")


async def suggestion(engine: Engine, cursor: Cursor, max_tokens: int) -> str:
    options = SamplingOptions(max_tokens=max_tokens)
    return "".join([chunk.text async for chunk in suggest(engine, cursor, options)])


async def test_text_after_the_cursor_is_shown_to_a_model_that_can_infill(qwen_engine: LlamaCppEngine) -> None:
    cursor = Cursor(prefix="def add(a, b):\n    ret", suffix="\n\nprint(add(1, 2))\n", language=PYTHON)
    prompt, stops = prompt_for(qwen_engine.card, cursor)
    assert isinstance(prompt, InfillPrompt)
    assert stops[0] == "\nprint(add(1, 2))"
    assert (await suggestion(qwen_engine, cursor, max_tokens=8)).startswith("urn a + b")


async def test_without_text_after_the_cursor_the_model_s_best_style_is_used(qwen_engine: LlamaCppEngine) -> None:
    cursor = Cursor(prefix="def add(a, b):\n", language=PYTHON)
    prompt, _ = prompt_for(replace(qwen_engine.card, prompt_style="fence"), cursor)
    assert isinstance(prompt, ChatPrompt)
    prompt, _ = prompt_for(replace(qwen_engine.card, prompt_style="completion"), cursor)
    assert isinstance(prompt, TextPrompt)
    prompt, _ = prompt_for(replace(qwen_engine.card, has_chat=False, prompt_style="fence"), cursor)
    assert isinstance(prompt, TextPrompt)


async def test_the_best_style_is_asked_just_as_it_was_measured(qwen_engine: LlamaCppEngine, benchmarks: Path) -> None:
    card = qwen_engine.card
    for problem in load_benchmark("humaneval", directory=benchmarks).values():
        prompt, stops = prompt_for(card, Cursor(prefix=problem.prompt, language=PYTHON))
        measured = ask(problem, card.prompt_style)
        if len(problem.prompt) <= 1200:
            assert prompt == measured.prompt
        assert set(measured.stops) & set(stops) == {"\n```"}


async def test_a_suggestion_ends_with_its_block(qwen_engine: LlamaCppEngine) -> None:
    doubled = 'def is_even(n):\n    """Return True if n is even."""\n'
    text = await suggestion(qwen_engine, Cursor(prefix=doubled, language=PYTHON), max_tokens=64)
    assert text.strip() == "return n % 2 == 0"
    first_line = Cursor(prefix="def add(a, b):\n    ", language=PYTHON)
    assert "\n\n" not in await suggestion(qwen_engine, first_line, max_tokens=64)
    asked = Cursor(prefix="# A function that returns True if its argument n is even\n", language=PYTHON)
    assert "def " in await suggestion(qwen_engine, asked, max_tokens=24)


async def test_the_prompt_for_a_long_file_stays_the_same_up_to_what_is_typed(qwen_engine: LlamaCppEngine) -> None:
    card = replace(qwen_engine.card, prompt_style="shown-fence")
    method = "    def area(self):\n        return self.width * self.height\n\n"
    file = "class Box:\n" + method * 60 + "def total(boxes):\n"
    typed = "    return sum(\n" + "        box.area()\n" * 40
    seen = set()
    for n_typed in range(len(typed)):
        prompt, _ = prompt_for(card, Cursor(prefix=file + typed[:n_typed]))
        assert isinstance(prompt, ChatPrompt)
        fenced = prompt.opening.partition("```\n")[2]
        assert fenced.startswith(("    def area", "def total"))  # the least indented line there is
        assert 400 <= len(fenced) <= 1200
        assert fenced.endswith(typed[:n_typed])
        seen.add((prompt.messages[0].content, fenced[:20]))
    assert len(seen) <= 2 * -(-len(typed) // 400)  # it changes with a step, not with a line or a key


async def test_a_model_without_infill_tokens_does_not_write_the_next_line_again(
    smollm2_engine: LlamaCppEngine,
) -> None:
    prefix = "".join(f"line {number}\n" for number in range(1, 8)) + "line"
    cursor = Cursor(prefix=prefix, suffix="\nline 10\n")
    assert (await suggestion(smollm2_engine, cursor, max_tokens=40)).endswith("line 9")


async def test_a_suggestion_s_prompt_is_kept_short(smollm2_engine: LlamaCppEngine) -> None:
    cursor = Cursor(prefix="value = 1\n" * 2000, language=PYTHON)
    usages = [chunk.usage async for chunk in suggest(smollm2_engine, cursor, SamplingOptions(max_tokens=2))]
    assert usages[-1] is not None
    assert usages[-1].prompt_tokens <= 1024


@pytest.mark.parametrize("name", ["explain", "fix", "unit-tests", "sql", "document"])
def test_tasks_by_name_and_questions_in_words(name: str) -> None:
    prompt = question_about(name, "SELECT 1", "query.sql")
    assert prompt.messages[0].content.startswith(tasks()[name])
    assert "```sql\nSELECT 1\n```" in prompt.messages[0].content
    assert question_about("Why?").messages[0].content == "Why?"
