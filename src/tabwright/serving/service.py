"""The one thing behind every protocol: a prompt or a cursor in, admitted, bounded and counted chunks out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from tabwright.assistant import Cursor, suggest
from tabwright.sampling import (
    ChatPrompt,
    Chunk,
    Engine,
    InfillPrompt,
    ModelCard,
    Prompt,
    PromptError,
    SamplingOptions,
    TextPrompt,
)
from tabwright.serving.admission import Gate
from tabwright.serving.errors import ApiError, shown
from tabwright.serving.metrics import Metrics
from tabwright.serving.settings import ServingSettings

_LOG = logging.getLogger(__name__)


class Service:
    """An engine behind a gate. Streams are lazy: nothing happens before the first chunk is asked for."""

    def __init__(self, engine: Engine, settings: ServingSettings, metrics: Metrics) -> None:
        self._engine = engine
        self.settings = settings
        self.metrics = metrics
        self.started_s = int(time.time())
        self._warming: asyncio.Task[None] | None = None
        self._gate = Gate(
            slots=engine.slots, max_queue=settings.max_queue, wait_s=settings.request_timeout_s, metrics=metrics
        )

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""
        return self._engine.card

    @property
    def slots(self) -> int:
        """How many requests run at once."""
        return self._engine.slots

    def complete(self, prompts: Sequence[Prompt], options: SamplingOptions) -> AsyncGenerator[Chunk, None]:
        """Yield chunks for prompts in turn; sample `i` of prompt `p` has the index `p * options.n + i`.

        A `max_tokens` of 0 is as many as the context has room for, and at most the server's limit.
        """
        self.stop_warming()
        for prompt in prompts:
            self._check(_length(prompt), options, len(prompts))
        self._log(prompts)
        return self._admitted(self._in_turn(prompts, options), options.n)

    def suggest(self, cursor: Cursor, options: SamplingOptions) -> AsyncGenerator[Chunk, None]:
        """Yield chunks of suggestions for a cursor."""
        self.stop_warming()
        self._check(_cursor_length(cursor), options, 1)
        self._log(cursor)
        return self._admitted(suggest(self._engine, cursor, options), options.n)

    def warm(self, cursor: Cursor) -> None:
        """Read a prompt into the prefix cache if a slot is idle; a later call takes the place of this one."""
        self.stop_warming()
        self._check(_cursor_length(cursor), SamplingOptions(max_tokens=1), 1)
        if self._gate.is_free and self.card.infill is not None:
            self._warming = asyncio.create_task(self._warm(cursor))

    def stop_warming(self) -> None:
        """Give the processor back to those who wait for an answer; what was read stays in the cache."""
        if self._warming is not None:
            self._warming.cancel()

    def check_model(self, name: str) -> None:
        """Refuse a model that is not the one served.

        Raises:
            ApiError: 404, with the name that works.
        """
        if name not in ("", self.card.name, *self.settings.model_aliases):
            raise ApiError(404, f"model {shown(name)} is not served here; use '{self.card.name}'", param="model")

    def _check(self, n_chars: int, options: SamplingOptions, n_prompts: int) -> None:
        limits = self.settings
        for name, value, limit, remedy in (
            ("prompt", n_chars, limits.max_prompt_chars, "characters; send less text"),
            ("n", options.n * n_prompts, limits.max_n, "samples in one request; ask for fewer"),
            ("max_tokens", options.max_tokens, limits.max_tokens_limit, "new tokens; ask for fewer"),
        ):
            if value > limit:
                raise ApiError(
                    400, f"{name}: {shown(value)} is over this server's limit of {limit} {remedy}", param=name
                )

    def _log(self, prompt: object) -> None:
        if self.settings.log_prompts:
            _LOG.info("prompt: %r", prompt)

    async def _warm(self, cursor: Cursor) -> None:
        try:
            async with aclosing(
                self._admitted(suggest(self._engine, cursor, SamplingOptions(max_tokens=1)), 1)
            ) as chunks:
                async for _ in chunks:
                    pass
        except Exception as error:
            _LOG.warning("warming the prefix cache failed: %s", type(error).__name__)

    async def _in_turn(self, prompts: Sequence[Prompt], options: SamplingOptions) -> AsyncGenerator[Chunk, None]:
        for at, prompt in enumerate(prompts):
            async with aclosing(self._generate(prompt, options)) as chunks:
                async for chunk in chunks:
                    yield replace(chunk, index=at * options.n + chunk.index)

    async def _generate(self, prompt: Prompt, options: SamplingOptions) -> AsyncGenerator[Chunk, None]:
        """Ask the engine; a length of 0 is as many tokens as there is room for, and never more than the limit."""
        lengths = (options.max_tokens,) if options.max_tokens else (self.settings.max_tokens_limit, 0)
        for length in lengths:
            try:
                async with aclosing(self._engine.generate(prompt, replace(options, max_tokens=length))) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
            except PromptError:  # the limit does not fit beside the prompt, so all that fits is below the limit
                if length == lengths[-1]:
                    raise

    async def _admitted(self, source: AsyncGenerator[Chunk, None], n: int) -> AsyncGenerator[Chunk, None]:
        """Run a source in a slot. Time is only taken while waiting for the engine, never for a slow reader."""
        async with self._gate.slot(), aclosing(source):
            started, waited_s, told = time.perf_counter(), 0.0, False
            while True:
                asked = time.perf_counter()
                try:
                    async with asyncio.timeout(max(self.settings.request_timeout_s - waited_s, 0)):
                        chunk = await anext(source)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    limit = self.settings.request_timeout_s
                    raise ApiError(503, f"the answer took longer than {limit:g} s; ask for fewer tokens") from None
                waited_s += time.perf_counter() - asked
                if chunk.text and not told:
                    told = True
                    self.metrics.first_token.observe(time.perf_counter() - started)
                if chunk.usage:
                    self.metrics.count(chunk.usage, first=chunk.index % n == 0)
                yield chunk


def _length(prompt: Prompt) -> int:
    match prompt:
        case TextPrompt():
            return len(prompt.text)
        case InfillPrompt():
            return len(prompt.prefix) + len(prompt.suffix) + sum(len(file.text) for file in prompt.context)
        case ChatPrompt():
            return sum(len(message.content) for message in prompt.messages)


def _cursor_length(cursor: Cursor) -> int:
    return _length(InfillPrompt(prefix=cursor.prefix, suffix=cursor.suffix, context=cursor.context))


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(_service)]
