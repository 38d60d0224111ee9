"""Prompts into ids: a prompt of any kind in, the ids to feed and the text to re-spell out.

Only the text of a template is read for special tokens; the user's own text never is (unless a raw prompt asks for it),
so a source file that says `<|endoftext|>` stays text. What stands before the cursor is healed. What does not fit the
context is dropped by rule: context files first, then the parts of the file far from the cursor.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tabwright.sampling.engine import (
    ChatPrompt,
    InfillPrompt,
    InfillTokens,
    LengthError,
    Message,
    ModelCard,
    Prompt,
    PromptError,
    SamplingOptions,
    TextPrompt,
)
from tabwright.sampling.healing import Vocabulary, back_up
from tabwright.sampling.stops import line_after

# Share of the room that text before the cursor may take where there is also text after it.
_BEFORE_SHARE = 0.75
# A long prefix is cut in steps of this share of its room, so that a growing file keeps the same beginning, and with it
# the engine's cached prefix, for many keystrokes.
_CUT_STEP = 0.25
# The room of what is shown shrinks, as the text before the cursor grows, in steps of this share of all room.
_ROOM_STEP = 0.125

Piece = tuple[int, bytes]
Tokenize = Callable[[str, bool, bool], Awaitable[list[Piece]]]
Template = Callable[[Sequence[Message]], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a prompt and what may be done to it.

    A `template` is read for special tokens and never cut; `text` is neither; `before` is healed and loses its
    beginning; `after` loses its end; `shown` loses its beginning to what stands nearer to the cursor; `context` goes
    whole, with the special tokens of its `lead`.
    """

    text: str
    kind: Literal["template", "text", "before", "after", "shown", "context"]
    lead: str = ""


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """The ids to feed, and the text that the first new tokens must spell again."""

    ids: list[int]
    respell: str


def infill_segments(prompt: InfillPrompt, tokens: InfillTokens | None) -> list[Segment]:
    """Lay out an infilling prompt: prefix, suffix, middle (Bavarian et al. 2022, section 3, PSM order).

    Without infill tokens only the prefix is shown to the model.
    """
    if tokens is None:
        return [Segment(prompt.prefix, "before")]
    segments = []
    if tokens.file_separator:
        segments = [
            Segment(f"{file.path}\n{file.text}\n", "context", lead=tokens.file_separator) for file in prompt.context
        ]
        if segments:
            segments.append(Segment(tokens.file_separator, "template"))
    return [
        *segments,
        Segment(tokens.prefix, "template"),
        Segment(prompt.prefix, "before"),
        Segment(tokens.suffix, "template"),
        Segment(prompt.suffix, "after"),
        Segment(tokens.middle, "template"),
    ]


async def chat_segments(prompt: ChatPrompt, template: Template) -> list[Segment]:
    """Lay out a conversation by the model's own template, with each message's text kept apart from it."""
    marks = [secrets.token_hex(16) for _ in prompt.messages]
    marked = [Message(role=message.role, content=mark) for message, mark in zip(prompt.messages, marks, strict=True)]
    left = await template(marked)
    segments = []
    for mark, message in zip(marks, prompt.messages, strict=True):
        before, found, left = left.partition(mark)
        if not found:
            raise PromptError(f"the model's chat template has no place for a {message.role} message here")
        segments += [Segment(before, "template"), Segment(message.content, "shown" if message.cut else "text")]
    segments.append(Segment(left, "template"))
    if prompt.opening:
        segments.append(Segment(prompt.opening, "before"))
    return segments


class Renderer:
    """Turns prompts into ids with one model's tokenizer."""

    def __init__(
        self, *, tokenize: Tokenize, template: Template, infill: InfillTokens | None, vocabulary: Vocabulary
    ) -> None:
        self._tokenize = tokenize
        self._template = template
        self._infill = infill
        self._vocabulary = vocabulary

    async def render(self, prompt: Prompt, room: int) -> RenderedPrompt:
        """Return the prompt in at most `room` tokens.

        Raises:
            PromptError: what may not be cut is longer than `room`.
        """
        match prompt:
            case TextPrompt():
                return await self._render_text(prompt, room)
            case InfillPrompt():
                segments = infill_segments(prompt, self._infill)
            case ChatPrompt():
                segments = await chat_segments(prompt, self._template)
        return await self._render_segments(segments, room)

    async def _render_text(self, prompt: TextPrompt, room: int) -> RenderedPrompt:
        pieces = await self._tokenize(prompt.text, True, prompt.special)
        if prompt.cut:
            pieces = _keep_end(pieces, room)
        _check_room(len(pieces), room)
        return self._heal([], pieces, [])

    async def _render_segments(self, segments: Sequence[Segment], room: int) -> RenderedPrompt:
        tokenized = [await self._tokenize_segment(segment, at == 0) for at, segment in enumerate(segments)]
        kinds = [segment.kind for segment in segments]
        fixed = sum(len(p) for p, kind in zip(tokenized, kinds, strict=True) if kind in ("template", "text"))
        _check_room(fixed, room)
        _fit(tokenized, kinds, room - fixed)
        if "before" not in kinds:
            return RenderedPrompt([token for pieces in tokenized for token, _ in pieces], "")
        at = kinds.index("before")
        return self._heal(_ids(tokenized[:at]), tokenized[at], _ids(tokenized[at + 1 :]))

    async def _tokenize_segment(self, segment: Segment, first: bool) -> list[Piece]:
        lead = await self._tokenize(segment.lead, first, True) if segment.lead else []
        return lead + await self._tokenize(segment.text, first and not lead, segment.kind == "template")

    def _heal(self, left: list[int], pieces: list[Piece], right: list[int]) -> RenderedPrompt:
        """Take back the last tokens of `pieces`, but never the prompt's only token."""
        may_go = pieces if left or right else pieces[1:]
        kept = len(pieces) - back_up([piece for _, piece in may_go], self._vocabulary)
        respell = b"".join(piece for _, piece in pieces[kept:]).decode()
        return RenderedPrompt([*left, *(token for token, _ in pieces[:kept]), *right], respell)


async def prepare(
    renderer: Renderer, card: ModelCard, prompt: Prompt, options: SamplingOptions, empty: int
) -> tuple[RenderedPrompt, SamplingOptions]:
    """Return a request as an engine of this machine decodes it: the prompt as ids, the options with every number said.

    Args:
        renderer: of the model's tokenizer.
        card: what is known of the model.
        prompt: what is asked.
        options: how.
        empty: the token that stands for a text of nothing.

    Raises:
        PromptError: the prompt is too long, or of a kind that the model lacks.
    """
    if isinstance(prompt, ChatPrompt) and not card.has_chat:
        raise PromptError(f"model '{card.name}' has no chat template; use completion instead")
    if isinstance(prompt, InfillPrompt) and card.infill is None and (stop := line_after(prompt.suffix)):
        options = replace(options, stop=(*options.stop, stop))
    check_length(options.max_tokens, card.context_length)
    room = card.context_length - max(options.max_tokens, 1)
    if isinstance(prompt, TextPrompt) and not prompt.text:
        rendered = RenderedPrompt([empty], "")
    else:
        rendered = await renderer.render(prompt, min(room, options.max_prompt_tokens or room))
    if options.max_tokens == 0:
        options = replace(options, max_tokens=card.context_length - len(rendered.ids))
    return rendered, options


def in_turns(options: SamplingOptions, slots: int) -> Iterator[tuple[int, SamplingOptions]]:
    """Yield the samples of a request in groups of at most `slots`: the number of the first, and the group's options."""
    for first in range(0, options.n, slots):
        seed = None if options.seed is None else options.seed + first
        yield first, replace(options, n=min(slots, options.n - first), seed=seed)


def _ids(tokenized: Sequence[Sequence[Piece]]) -> list[int]:
    return [token for pieces in tokenized for token, _ in pieces]


def check_length(max_tokens: int, context_length: int) -> None:
    """Refuse a length that leaves no room for a prompt.

    Raises:
        LengthError: it does not fit the context.
    """
    if max_tokens >= context_length:
        raise LengthError(
            f"max_tokens: {max_tokens} leaves no room for a prompt in a context of {context_length}; ask for fewer"
        )


def _check_room(needed: int, room: int) -> None:
    if needed > room:
        raise PromptError(
            f"the prompt has {needed} tokens, but only {max(room, 0)} fit beside max_tokens in the model's "
            "context; shorten the prompt or ask for fewer tokens"
        )


def _fit(tokenized: list[list[Piece]], kinds: Sequence[str], room: int) -> None:
    """Cut, in place, what may be cut until everything fits `room`.

    What is shown makes room for `before` in steps, so that it is not cut anew with every token that is typed.
    """
    step = max(int(room * _ROOM_STEP), 1)
    total = {kind: sum(len(p) for p, k in zip(tokenized, kinds, strict=True) if k == kind) for kind in set(kinds)}
    before, after = total.get("before", 0), total.get("after", 0)
    keep_before = min(before, max(int(room * _BEFORE_SHARE), room - after - total.get("shown", 0)))
    keep_after = min(after, room - keep_before)
    left = room - keep_before - keep_after
    for at in range(len(kinds) - 1, -1, -1):  # the context file nearest to the cursor stays longest
        if kinds[at] == "before":
            tokenized[at] = _keep_end(tokenized[at], keep_before)
        elif kinds[at] == "after":
            tokenized[at] = tokenized[at][:keep_after]
        elif kinds[at] == "shown":
            tokenized[at] = _keep_end(tokenized[at], left // step * step)
            left -= len(tokenized[at])
        elif kinds[at] == "context":
            if len(tokenized[at]) > left:
                tokenized[at] = []
            left -= len(tokenized[at])


def _keep_end(pieces: list[Piece], room: int) -> list[Piece]:
    if len(pieces) <= room:
        return pieces
    step = max(int(room * _CUT_STEP), 1)
    drop = -(-(len(pieces) - room) // step) * step
    return pieces[drop:]
