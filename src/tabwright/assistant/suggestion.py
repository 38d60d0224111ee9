"""Cursor -> prompt -> suggestion: what stands around the cursor in, a stream of checked text out.

The prompt style is the one that the model scored best with (its card says which; see `docs/results.md`): the model's
own infill tokens where there is text after the cursor, else an open code fence in an assistant's turn, or plain text.
Choosing what else of the repository to show is not done here yet.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from tabwright.assistant.languages import Language
from tabwright.sampling.engine import (
    ChatPrompt,
    Chunk,
    ContextFile,
    Engine,
    InfillPrompt,
    Message,
    ModelCard,
    Prompt,
    PromptStyle,
    SamplingOptions,
    TextPrompt,
)
from tabwright.sampling.stops import line_after

# A suggestion is worth nothing when it comes late: this much prompt is read in a few seconds by a laptop's CPU.
MAX_PROMPT_TOKENS = 1024
_FENCE = "```"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """Where a suggestion is wanted: the text before and after, its language, and other files to show."""

    prefix: str
    suffix: str = ""
    language: Language | None = None
    context: tuple[ContextFile, ...] = ()


def completion_prompt(
    prefix: str, suffix: str, language: Language | None, style: PromptStyle
) -> tuple[Prompt, tuple[str, ...]]:
    """Return the prompt that goes on with `prefix` in the given style, and the stop strings it needs.

    `chat` has no place for a cursor, so it is asked for as `fence`.
    """
    line = line_after(suffix)
    stops = (line,) if line else ()
    if style == "completion":
        return TextPrompt(text=prefix, cut=True), stops
    name = language.fence if language else ""
    request = f"Complete the following {language.name if language else 'source'} code. Write only code."
    opening = f"{_FENCE}{name}\n{prefix.lstrip(chr(10))}"
    return ChatPrompt(messages=(Message(role="user", content=request),), opening=opening), (*stops, f"\n{_FENCE}")


def prompt_for(card: ModelCard, cursor: Cursor) -> tuple[Prompt, tuple[str, ...]]:
    """Return the best prompt for a cursor that this model knows, and the stop strings it needs."""
    if card.infill and (cursor.suffix.strip() or cursor.context):
        return InfillPrompt(prefix=cursor.prefix, suffix=cursor.suffix, context=cursor.context), ()
    style = card.prompt_style if card.has_chat else "completion"
    return completion_prompt(cursor.prefix, cursor.suffix, cursor.language, style)


async def suggest(engine: Engine, cursor: Cursor, options: SamplingOptions) -> AsyncGenerator[Chunk, None]:
    """Yield chunks of suggestions for a cursor; close the generator to cancel."""
    prompt, stops = prompt_for(engine.card, cursor)
    limit = min(options.max_prompt_tokens or MAX_PROMPT_TOKENS, MAX_PROMPT_TOKENS)
    options = replace(options, stop=(*options.stop, *stops), max_prompt_tokens=limit)
    async with aclosing(engine.generate(prompt, options)) as chunks:
        async for chunk in chunks:
            yield chunk
