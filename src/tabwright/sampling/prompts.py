"""Prompts into ids: a prompt of any kind in, the ids to feed and the text to re-spell out.

Only the text of a template is read for special tokens; the user's own text never is (unless a raw prompt asks for it),
so a source file that says `<|endoftext|>` stays text. What stands before the cursor is healed. What does not fit the
context is dropped by rule: context files first, then the parts of the file far from the cursor.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

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
Template = Callable[[Sequence[Message]], Awaitable[str]]


class Tokenize(Protocol):
    """A model's tokenizer."""

    def __call__(self, text: str, *, special: bool = False, begins: bool = False) -> Awaitable[list[Piece]]:
        """Return the tokens of a text.

        Args:
            text: any.
            special: the texts of special tokens in it become those tokens.
            begins: a document begins with it.
        """


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a prompt and what may be done to it.

    A `template` is read for special tokens and never cut; `text` is neither; `before` is healed and loses its
    beginning; `after` loses its end; `shown` loses its beginning to what stands nearer to the cursor; `context` goes
    whole, with the special tokens of its `lead`. With one that `begins`, a document does.
    """

    text: str
    kind: Literal["template", "text", "before", "after", "shown", "context"]
    lead: str = ""
    begins: bool = False


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """The ids to feed, and the text that the first new tokens must spell again."""

    ids: list[int]
    respell: str


def infill_segments(prompt: InfillPrompt, tokens: InfillTokens | None) -> list[Segment]:
    """Lay out an infilling prompt (Bavarian et al. 2022, section 3; Roziere et al. 2023, section 2.3).

    In the order SPM the middle follows its prefix, with the tokens where Code Llama has them. Without infill tokens
    only the prefix is shown to the model.
    """
    before, after = Segment(prompt.prefix, "before", begins=True), Segment(prompt.suffix, "after")
    if tokens is None:
        return [before]
    segments = []
    if tokens.file_separator:
        segments = [
            Segment(f"{file.path}\n{file.text}\n", "context", lead=tokens.file_separator) for file in prompt.context
        ]
        if segments:
            segments.append(Segment(tokens.file_separator, "template"))
    prefix, suffix, middle = (Segment(text, "template") for text in (tokens.prefix, tokens.suffix, tokens.middle))
    if prompt.order == "spm":
        return [*segments, prefix, suffix, after, middle, before]
    return [*segments, prefix, before, suffix, after, middle]


async def chat_segments(prompt: ChatPrompt, template: Template, special: re.Pattern[str], begin: str) -> list[Segment]:
    """Lay out a conversation by the model's own template.

    No message is read for special tokens. What of the template is ordinary text is tokenized with the message beside
    it, as in training, unless the message may be cut.
    """
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
    segments = _joined(segments, special, begin)
    return [*segments, Segment(prompt.opening, "before")] if prompt.opening else segments


class Renderer:
    """Turns prompts into ids with one model's tokenizer.

    Args:
        tokenize: the tokenizer.
        template: the model's chat template.
        opening: gives the tokens that stand before every prompt.
        begin: the text of the special token after which a document begins in a chat template; empty if there is none.
        special: texts of special tokens that a chat template may hold.
        infill: the model's infill tokens.
        vocabulary: the tokenizer's ordinary tokens.
    """

    def __init__(
        self,
        *,
        tokenize: Tokenize,
        template: Template,
        opening: Callable[[], Awaitable[list[int]]],
        begin: str,
        special: Collection[str],
        infill: InfillTokens | None,
        vocabulary: Vocabulary,
    ) -> None:
        self._tokenize = tokenize
        self._template = template
        self._opening = opening
        self._begin = begin
        longest_first = sorted(special, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._infill = infill
        self._vocabulary = vocabulary

    async def render(self, prompt: Prompt, room: int, *, whole: bool = False) -> RenderedPrompt:
        """Return the prompt in at most `room` tokens; where it is to be `whole`, nothing of it is cut.

        Raises:
            PromptError: what may not be cut is longer than `room`.
        """
        opening = await self._opening()
        match prompt:
            case TextPrompt():
                return await self._render_text(prompt, opening, room, prompt.cut and not whole)
            case InfillPrompt():
                segments = infill_segments(prompt, self._infill)
            case ChatPrompt():
                segments = await chat_segments(prompt, self._template, self._special, self._begin)
        return await self._render_segments(segments, opening, room, whole)

    async def _render_text(self, prompt: TextPrompt, opening: list[int], room: int, cut: bool) -> RenderedPrompt:
        pieces = await self._tokenize(prompt.text, special=prompt.special, begins=True)
        if cut:
            pieces = _keep_end(pieces, room - len(opening))
        _check_room(len(opening) + len(pieces), room)
        return self._heal(opening, pieces, [])

    async def _render_segments(
        self, segments: Sequence[Segment], opening: list[int], room: int, whole: bool
    ) -> RenderedPrompt:
        tokenized = [await self._tokenize_segment(segment) for segment in segments]
        kinds = [segment.kind for segment in segments]
        fixed = sum(len(p) for p, kind in zip(tokenized, kinds, strict=True) if kind in ("template", "text"))
        fixed += len(opening)
        _check_room(len(opening) + sum(map(len, tokenized)) if whole else fixed, room)
        _fit(tokenized, kinds, room - fixed)
        if "before" not in kinds:
            return RenderedPrompt([*opening, *_ids(tokenized)], "")
        at = kinds.index("before")
        return self._heal([*opening, *_ids(tokenized[:at])], tokenized[at], _ids(tokenized[at + 1 :]))

    async def _tokenize_segment(self, segment: Segment) -> list[Piece]:
        lead = await self._tokenize(segment.lead, special=True) if segment.lead else []
        return lead + await self._tokenize(segment.text, special=segment.kind == "template", begins=segment.begins)

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
        empty: the token that stands for a text of nothing, where the model has none that stands before every text.

    Raises:
        PromptError: the prompt is too long, or of a kind that the model lacks.
    """
    if isinstance(prompt, ChatPrompt) and not card.has_chat:
        raise PromptError(f"model '{card.name}' has no chat template; use completion instead")
    if isinstance(prompt, InfillPrompt) and card.infill is None and (stop := line_after(prompt.suffix)):
        options = replace(options, stop=(*options.stop, stop))
    check_length(options.max_tokens, card.context_length)
    room = card.context_length - max(options.max_tokens, 1)
    rendered = await renderer.render(prompt, min(room, options.max_prompt_tokens or room), whole=options.whole)
    if not rendered.ids:
        rendered = RenderedPrompt([empty], "")
    if options.max_tokens == 0:
        options = replace(options, max_tokens=card.context_length - len(rendered.ids))
    return rendered, options


def in_turns(options: SamplingOptions, slots: int) -> Iterator[tuple[int, SamplingOptions]]:
    """Yield the samples of a request in groups of at most `slots`: the number of the first, and the group's options."""
    for first in range(0, options.n, slots):
        seed = None if options.seed is None else (options.seed + first) % 2**64
        yield first, replace(options, n=min(slots, options.n - first), seed=seed)


def _joined(segments: Sequence[Segment], special: re.Pattern[str], begin: str) -> list[Segment]:
    """Give the ordinary text at a template's ends to the messages that stand there, and say where a document begins."""
    joined: list[Segment] = []
    for segment in segments:
        for part in _cut_template(segment.text, special) if segment.kind == "template" else [segment]:
            if part.kind == "text" and joined and joined[-1].kind == "text":
                part = Segment(joined.pop().text + part.text, "text")
            if part.text:
                joined.append(part)
    ends = ["", *(segment.text if segment.kind == "template" else "\0" for segment in joined)]
    return [
        replace(segment, begins=not end or (bool(begin) and end.endswith(begin)))
        for segment, end in zip(joined, ends, strict=False)
    ]


def _cut_template(text: str, special: re.Pattern[str]) -> list[Segment]:
    spans = [match.span() for match in special.finditer(text)]
    start, end = (spans[0][0], spans[-1][1]) if spans else (len(text), len(text))
    return [Segment(text[:start], "text"), Segment(text[start:end], "template"), Segment(text[end:], "text")]


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
