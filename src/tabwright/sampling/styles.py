"""Prompt styles: code to go on with and a style's name in, a prompt and its stop strings out.

`completion` shows the bare text; `tagged` puts a line above it that names the language, as in what CodeGeeX's models
were trained on (Zheng et al. 2023); `fence` opens a code fence in an assistant's turn and lets the model go on inside
it; `shown-fence` shows the code in the question too; `chat` asks for the whole program and takes it out of the reply.
Which one suits a model is measured, not guessed (`docs/results.md`), and stands in the registry.
"""

from __future__ import annotations

import re

from tabwright.sampling.engine import ChatPrompt, Message, Prompt, PromptStyle, TextPrompt

FENCE = "```"
_BLOCK = re.compile(r"^[ ]*```[^\n]*\n(.*?)(?:^[ ]*```|\Z)", re.DOTALL | re.MULTILINE)


def style_prompt(
    style: PromptStyle,
    code: str,
    *,
    shown: str | None = None,
    again: str | None = None,
    language: str | None = None,
    fence: str = "",
    tag: str = "",
) -> tuple[Prompt, tuple[str, ...]]:
    """Return the prompt that asks to go on with `code`, and the stop strings that belong to the style.

    Args:
        style: see the module's docstring.
        code: up to the place where it is to go on.
        shown: the beginning of `code` that the question of `shown-fence` shows the finished lines of; None is all.
        again: the end of `code` that its fence repeats; None is all.
        language: the language's name, as a person writes it.
        fence: the language's name after a code fence.
        tag: the line that names the language.
    """
    if style in ("completion", "tagged"):
        return TextPrompt(text=f"{tag}\n{code}" if style == "tagged" and tag else code, cut=True), ()
    if style == "chat":
        request = f"Complete this {language or 'source'} code. Answer with the whole code in one code block."
        return ChatPrompt(messages=(Message(role="user", content=f"{request}\n\n{FENCE}{fence}\n{code}\n{FENCE}"),)), ()
    if style == "fence":
        messages, lead, again = *_ask_bare(language), code
    else:
        messages, lead = _ask_shown(code if shown is None else shown, language)
        again = code if again is None else again
    opening = f"{lead}{FENCE}{fence}\n{again.lstrip(chr(10))}"
    return ChatPrompt(messages=messages, opening=opening), (f"\n{FENCE}",)


def _ask_bare(language: str | None) -> tuple[tuple[Message, ...], str]:
    expert = f"You are an expert {language or 'software'} programmer."
    request = f"Complete the following {language or 'source'} code. Write only code."
    return (Message(role="system", content=expert), Message(role="user", content=request)), ""


def _ask_shown(code: str, language: str | None) -> tuple[tuple[Message, ...], str]:
    kind = f"{language or 'source code'} script"
    request = f"Solve the problem above with a self-contained {kind}, given in a markdown code block."
    lead = (
        f"This {kind} holds a self-contained function that solves the problem and passes the tests that belong to it:"
    )
    return (Message(role="user", content=f"{_whole_lines(code)}\n\n{request}", cut=True),), f"{lead}\n"


def _whole_lines(code: str) -> str:
    """The lines that are finished, so that the question stays the same, and cached, while the next one is typed."""
    return (code[: code.rfind("\n") + 1] or code).strip("\n")


def code_of_reply(reply: str) -> str:
    """Return the longest code block of a chat reply, or the whole reply if it has none."""
    blocks: list[str] = _BLOCK.findall(reply)
    return max(blocks, key=len) if blocks else reply
