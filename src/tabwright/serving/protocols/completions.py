"""OpenAI's completions (`POST /v1/completions`) and models; a body with `segments` is Tabby's and goes there.

References:
    OpenAI API reference, Completions and Models.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import Discriminator, Field, Tag
from starlette.responses import JSONResponse, Response

from tabwright.sampling import InfillPrompt, Prompt, SamplingOptions, TextPrompt, Token, Usage
from tabwright.serving.errors import ApiError
from tabwright.serving.protocols import tabby
from tabwright.serving.protocols.events import Events, EventStream, begun
from tabwright.serving.protocols.fields import (
    OPENAI_ERROR,
    Count,
    RequestBody,
    Seed,
    Stops,
    Temperature,
    Text,
    Texts,
    TopK,
    TopP,
    documented,
)
from tabwright.serving.protocols.gathering import Answer, gather, logprob, openai_usage, total
from tabwright.serving.service import Service, Serving

router = APIRouter(tags=["OpenAI"])


class StreamOptions(RequestBody):
    """Options of a stream."""

    include_usage: bool = False


class CompletionRequest(RequestBody):
    """OpenAI's completion request. `top_k` is an addition of ours; a prompt may hold the model's special tokens."""

    prompt: Texts
    model: Text = Field("", description="the served model, one of its aliases, or nothing")
    suffix: Text = Field("", description="what stands after the cursor")
    max_tokens: Count = 16
    n: Count = 1
    best_of: Count | None = Field(None, description="sample this many and return the n most probable by mean token")
    echo: bool = Field(False, description="begin each text with its prompt")
    logprobs: int | None = Field(None, ge=0, le=5, description="alternatives to report for each token")
    stop: Stops = Field(default=[])
    seed: Seed | None = None
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    temperature: Temperature = 1.0
    top_p: TopP = 1.0
    top_k: TopK = 0
    user: Text = Field("", description="accepted and not used")

    @property
    def n_sampled(self) -> int:
        """How many samples are drawn of each prompt."""
        return max(self.n, self.best_of or 0)

    def prompts(self) -> list[Prompt]:
        """Return the prompts for the engine."""
        if self.suffix:
            return [InfillPrompt(prefix=text, suffix=self.suffix) for text in self.prompt]
        return [TextPrompt(text=text, special=True) for text in self.prompt]

    def options(self) -> SamplingOptions:
        """Return the sampling options for the engine."""
        return SamplingOptions(
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            seed=self.seed,
            stop=tuple(self.stop),
            n=self.n_sampled,
            top_logprobs=self.logprobs or 0,
        )


def _protocol(body: Any) -> str:
    return "tabby" if isinstance(body, tabby.CompletionRequest) or "segments" in body else "openai"


AnyRequest = Annotated[
    Annotated[CompletionRequest, Tag("openai")] | Annotated[tabby.CompletionRequest, Tag("tabby")],
    Discriminator(lambda body: _protocol(body) if isinstance(body, dict | RequestBody) else "openai"),
]

_EXAMPLE = {
    "id": "cmpl-1f0c",
    "object": "text_completion",
    "created": 1760000000,
    "model": "my-model",
    "choices": [{"index": 0, "text": "return a + b", "finish_reason": "stop", "logprobs": None}],
    "usage": openai_usage(Usage(prompt_tokens=9, completion_tokens=5)),
}


@router.post(
    "/v1/completions", summary="Go on with a prompt", responses=documented(_EXAMPLE, OPENAI_ERROR, stream=True)
)
async def complete(body: Annotated[AnyRequest, Body()], service: Serving) -> Response:
    """Answer an OpenAI completion request, or a Tabby one."""
    if isinstance(body, tabby.CompletionRequest):
        return await tabby.complete(body, service)
    service.check_model(body.model)
    _check(body)
    head = {
        "id": f"cmpl-{secrets.token_hex(12)}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": service.card.name,
    }
    if body.stream:
        return EventStream(await begun(_stream(body, service, head)))
    count = body.n_sampled
    answers = await gather(service.complete(body.prompts(), body.options()), count * len(body.prompt))
    choices: list[dict[str, Any]] = []
    for at, prompt in enumerate(body.prompt):
        for answer in _best(answers[at * count : (at + 1) * count], body.n):
            text = prompt + answer.text if body.echo else answer.text
            scores = None if body.logprobs is None else _logprobs(answer.tokens, len(prompt), body.logprobs)
            choices.append(_choice(len(choices), text, answer.finish_reason, scores))
    usage = openai_usage(total((answer.usage for answer in answers), count))
    return JSONResponse({**head, "choices": choices, "usage": usage})


def _check(body: CompletionRequest) -> None:
    if body.best_of is not None and body.best_of < body.n:
        raise ApiError(400, f"best_of: {body.best_of} is less than n ({body.n}); raise it or lower n", param="best_of")
    if body.best_of is not None and body.best_of > body.n and body.stream:
        raise ApiError(400, "best_of: a stream cannot be ranked; leave out best_of or stream", param="best_of")
    if body.echo and body.logprobs is not None:
        raise ApiError(400, "logprobs: the prompt's own are not computed; leave out echo or logprobs", param="logprobs")


def _best(answers: Sequence[Answer], n: int) -> Sequence[Answer]:
    if len(answers) == n:
        return answers
    return sorted(answers, key=lambda answer: answer.mean_logprob, reverse=True)[:n]


async def _stream(body: CompletionRequest, service: Service, head: dict[str, Any]) -> Events:
    counted = {"usage": None} if body.stream_options.include_usage else {}
    answers = [Answer() for _ in range(body.n * len(body.prompt))]
    offsets = [len(prompt) for prompt in body.prompt for _ in range(body.n)]
    async with aclosing(service.complete(body.prompts(), body.options())) as chunks:
        async for chunk in chunks:
            answer, prompt = answers[chunk.index], body.prompt[chunk.index // body.n]
            text = chunk.text if answer.text or not body.echo else prompt + chunk.text
            scores = None if body.logprobs is None else _logprobs(chunk.tokens, offsets[chunk.index], body.logprobs)
            offsets[chunk.index] += sum(len(token.text) for token in chunk.tokens)
            answer.push(chunk)
            yield {**head, "choices": [_choice(chunk.index, text, chunk.finish_reason, scores)], **counted}
    if counted:
        yield {**head, "choices": [], "usage": openai_usage(total((answer.usage for answer in answers), body.n))}


def _choice(index: int, text: str, finish_reason: str | None, logprobs: dict[str, Any] | None) -> dict[str, Any]:
    return {"index": index, "text": text, "finish_reason": finish_reason, "logprobs": logprobs}


def _logprobs(tokens: Sequence[Token], offset: int, count: int) -> dict[str, Any]:
    """Return OpenAI's legacy shape; `text_offset` counts characters from the beginning of the prompt."""
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token.text)
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [logprob(token.logprob) for token in tokens],
        "top_logprobs": [{text: logprob(value) for text, value in token.top[:count]} for token in tokens],
        "text_offset": offsets,
    }


def _model(service: Service) -> dict[str, Any]:
    return {"id": service.card.name, "object": "model", "created": service.started_s, "owned_by": "tabwright"}


_MODEL = {"id": "my-model", "object": "model", "created": 1760000000, "owned_by": "tabwright"}


@router.head("/v1/models", include_in_schema=False)
@router.get(
    "/v1/models", summary="The served model", responses=documented({"object": "list", "data": [_MODEL]}, OPENAI_ERROR)
)
async def models(service: Serving) -> Response:
    """List the one model that is served."""
    return JSONResponse({"object": "list", "data": [_model(service)]})


@router.get("/v1/models/{name:path}", summary="One model", responses=documented(_MODEL, OPENAI_ERROR))
async def model(name: str, service: Serving) -> Response:
    """Describe the served model by its name or an alias."""
    service.check_model(name)
    return JSONResponse(_model(service))
