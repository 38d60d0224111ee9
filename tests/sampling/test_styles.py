"""Prompt styles and the code in a chat reply."""

from __future__ import annotations

import pytest

from tabwright.sampling import ChatPrompt, TextPrompt
from tabwright.sampling.styles import code_of_reply, style_prompt


def test_completion_is_the_bare_text() -> None:
    prompt, stops = style_prompt("completion", "def f():\n", language="Python", fence="python")
    assert prompt == TextPrompt(text="def f():\n", cut=True)
    assert stops == ()


def test_fence_opens_the_reply_with_the_code_and_stops_where_the_fence_closes() -> None:
    prompt, stops = style_prompt("fence", "\n\ndef f():\n", language="Python", fence="python")
    assert isinstance(prompt, ChatPrompt)
    assert prompt.opening.endswith("```python\ndef f():\n")
    assert all("Python" in message.content for message in prompt.messages)
    assert stops == ("\n```",)


def test_a_shown_fence_shows_the_finished_lines_in_the_question_and_repeats_the_code() -> None:
    prompt, stops = style_prompt("shown-fence", "import re\n\ndef f():\n    ret", language="Python")
    assert isinstance(prompt, ChatPrompt)
    (question,) = prompt.messages
    assert question.content.startswith("import re\n\ndef f():\n\nSolve the problem above")
    assert question.cut
    assert prompt.opening.endswith("\n```\nimport re\n\ndef f():\n    ret")
    assert stops == ("\n```",)


def test_what_a_shown_fence_shows_and_repeats_can_be_less() -> None:
    prompt, _ = style_prompt("shown-fence", "a = 1\nb = 2\nc", shown="a = 1\nb", again="b = 2\nc")
    assert isinstance(prompt, ChatPrompt)
    assert prompt.messages[0].content.startswith("a = 1\n\nSolve")
    assert prompt.opening.endswith("```\nb = 2\nc")


def test_chat_shows_the_code_in_the_question() -> None:
    prompt, stops = style_prompt("chat", "def f():\n", language="Python", fence="python")
    assert isinstance(prompt, ChatPrompt)
    assert "```python\ndef f():\n\n```" in prompt.messages[0].content
    assert (prompt.opening, stops) == ("", ())


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("Here it is:\n```python\ndef f():\n    return 1\n```\nDone.", "def f():\n    return 1\n"),
        ("```\na\n```\nand\n```py\nlonger\n```", "longer\n"),
        ("```python\ncut short", "cut short"),
        ("no code at all", "no code at all"),
    ],
)
def test_the_longest_block_of_a_reply_is_its_code(reply: str, code: str) -> None:
    assert code_of_reply(reply) == code
