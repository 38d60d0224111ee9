"""What a person asks for -> a conversation: questions about code, and the usual tasks by name.

The wording of each task is data (`tasks.toml`), so that it can be measured and changed without touching code.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from tabwright.assistant.languages import language_of
from tabwright.sampling.engine import ChatPrompt, Message


@cache
def tasks() -> dict[str, str]:
    """Return the tasks: a name such as `unit-tests` and the words that ask for it."""
    text = files("tabwright.assistant").joinpath("tasks.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["tasks"])


def question_about(question: str, code: str = "", path: str = "") -> ChatPrompt:
    """Return the conversation that asks a question, or a task by its name, about a piece of code.

    Args:
        question: words, or a key of `tasks`.
        code: the code it is about; may be empty.
        path: the code's file, which tells its language.
    """
    words = tasks().get(question, question)
    if code:
        language = language_of(path) if path else None
        words += f"\n\n```{language.fence if language else ''}\n{code.rstrip()}\n```"
    return ChatPrompt(messages=(Message(role="user", content=words),))
