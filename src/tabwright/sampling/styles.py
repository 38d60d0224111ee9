"""Prompt styles: code to go on with and a style's name in, a prompt and its stop strings out.

`completion` shows the bare text; `fence` opens a code fence in an assistant's turn and lets the model go on inside it;
`chat` asks for the whole program and takes it out of the reply. Which one suits a model is measured, not guessed
(`docs/results.md`), and stands in the registry.
"""

from __future__ import annotations

import re

from tabwright.sampling.engine import ChatPrompt, Message, Prompt, PromptStyle, TextPrompt

FENCE = "```"
_BLOCK = re.compile(r"^[ ]*```[^\n]*\n(.*?)(?:^[ ]*```|\Z)", re.DOTALL | re.MULTILINE)


def style_prompt(
    style: PromptStyle, text: str, *, language: str | None = None, fence: str = ""
) -> tuple[Prompt, tuple[str, ...]]:
    """Return the prompt that asks to go on with `text`, and the stop strings that belong to the style.

    Args:
        style: see the module's docstring.
        text: code up to the place where it is to go on.
        language: the language's name, as a person writes it.
        fence: the language's name after a code fence.
    """
    if style == "completion":
        return TextPrompt(text=text, cut=True), ()
    if style == "chat":
        request = f"Complete this {language or 'source'} code. Answer with the whole code in one code block."
        return ChatPrompt(messages=(Message(role="user", content=f"{request}\n\n{FENCE}{fence}\n{text}\n{FENCE}"),)), ()
    kind = language or "source code"
    request = f"Solve the problem with a self-contained {kind} script, given in a markdown code block."
    lead = (
        f"This {kind} script holds a self-contained function that solves the problem "
        "and passes the tests that belong to it:"
    )
    opening = f"{lead}\n{FENCE}{fence}\n{text.lstrip(chr(10))}"
    return ChatPrompt(messages=(Message(role="user", content=request),), opening=opening), (f"\n{FENCE}",)


def code_of_reply(reply: str) -> str:
    """Return the longest code block of a chat reply, or the whole reply if it has none."""
    blocks: list[str] = _BLOCK.findall(reply)
    return max(blocks, key=len) if blocks else reply
