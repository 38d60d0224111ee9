"""Cursor -> prompt -> suggestion: what stands around the cursor in, a stream of text out.

The prompt style is the one that the model scored best with (its card says which; see `docs/results.md`): the model's
own infill tokens where there is text after the cursor, else an open code fence in an assistant's turn, or plain text.
Where the question shows the file too, the fence repeats only its last lines.
Choosing what else of the repository to show is not done here yet.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from string import ascii_letters

from tabwright.assistant.languages import Language
from tabwright.sampling.engine import (
    Chunk,
    ContextFile,
    Engine,
    InfillPrompt,
    ModelCard,
    Prompt,
    PromptStyle,
    SamplingOptions,
)
from tabwright.sampling.stops import line_after
from tabwright.sampling.styles import style_prompt

# A suggestion is worth nothing when it comes late: this much prompt is read in a few seconds by a laptop's CPU.
MAX_PROMPT_TOKENS = 1024

# A blank line, and a line that begins with no space: what follows a block, other than its closing bracket.
_BLOCK_ENDS = tuple(f"\n\n{character}" for character in f"{ascii_letters}_#@/'\"")

# How many characters of a file's end may be written twice in a prompt, and the steps in which a longer file's question
# and the beginning of what is repeated move: between two steps the engine's cached prefix serves every keystroke.
_REPEATED_LENGTH = 1200
_REPEATED_STEP = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """Where a suggestion is wanted: the text before and after, its language, and other files to show."""

    prefix: str
    suffix: str = ""
    language: Language | None = None
    context: tuple[ContextFile, ...] = ()


def prompt_for(card: ModelCard, cursor: Cursor) -> tuple[Prompt, tuple[str, ...]]:
    """Return the best prompt for a cursor that this model knows, and the stop strings it needs.

    The line that follows the cursor is always one: small models go on to write it a second time. A suggestion that
    begins inside a block ends with it: they also go on with tests that nobody asked for.
    """
    line = line_after(cursor.suffix)
    stops = (*((line,) if line else ()), *(_BLOCK_ENDS if _is_in_block(cursor.prefix) else ()))
    if card.infill and (cursor.suffix.strip() or cursor.context):
        return InfillPrompt(prefix=cursor.prefix, suffix=cursor.suffix, context=cursor.context), stops
    style: PromptStyle = card.prompt_style if card.has_chat or card.prompt_style == "tagged" else "completion"
    if style == "chat":  # a whole program in a reply is no suggestion
        style = "fence"
    named = {"language": cursor.language.name, "fence": cursor.language.fence} if cursor.language else {}
    # A model's tag line stands at a file's beginning; a person may have written it there.
    tag = cursor.language.tag if cursor.language and not cursor.prefix.startswith(cursor.language.tag) else ""
    shown, again = _shown_and_repeated(cursor.prefix)
    prompt, style_stops = style_prompt(style, cursor.prefix, shown=shown, again=again, tag=tag, **named)
    return prompt, stops + style_stops


def _is_in_block(prefix: str) -> bool:
    """Whether the last line that says something is indented, or the cursor stands indented below it."""
    written, cursor_line = prefix.rstrip(), prefix.rpartition("\n")[2]
    return written.rpartition("\n")[2][:1].isspace() or bool(written and cursor_line and not cursor_line.strip())


def _shown_and_repeated(text: str) -> tuple[str, str]:
    """What of a file a question shows, and what a fence repeats: all of a short one, else both by steps.

    The repeated part begins at the least indented line of the step where it may begin.
    """
    start = -(-max(len(text) - _REPEATED_LENGTH, 0) // _REPEATED_STEP) * _REPEATED_STEP
    if start == 0:
        return text, text
    lines = re.finditer(r"^([ \t]*)\S", text[start : start + _REPEATED_STEP], re.MULTILINE)
    firsts = [(len(line[1]), start + line.start()) for line in lines if text[start + line.start() - 1] == "\n"]
    cut = min(firsts, default=(0, start))[1]
    return text[: len(text) // _REPEATED_STEP * _REPEATED_STEP], text[cut:]


async def suggest(engine: Engine, cursor: Cursor, options: SamplingOptions) -> AsyncGenerator[Chunk, None]:
    """Yield chunks of suggestions for a cursor; close the generator to cancel."""
    prompt, stops = prompt_for(engine.card, cursor)
    limit = min(options.max_prompt_tokens or MAX_PROMPT_TOKENS, MAX_PROMPT_TOKENS)
    options = replace(options, stop=(*options.stop, *stops), max_prompt_tokens=limit)
    async with aclosing(engine.generate(prompt, options)) as chunks:
        async for chunk in chunks:
            yield chunk
