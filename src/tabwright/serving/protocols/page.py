"""What the web page asks for: facts about the server, and suggestions with their figures."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse, Response

import tabwright
from tabwright.assistant import Cursor, find_language, languages
from tabwright.sampling import ModelCard, SamplingOptions, Usage
from tabwright.serving.protocols.events import Events, EventStream, begun
from tabwright.serving.protocols.fields import (
    OPENAI_ERROR,
    Count,
    RequestBody,
    Seed,
    Temperature,
    Text,
    TopK,
    TopP,
    documented,
)
from tabwright.serving.protocols.gathering import Answer, total
from tabwright.serving.service import Service, Serving

router = APIRouter(tags=["Page"])


class SuggestionRequest(RequestBody):
    """A cursor, and how to draw suggestions for it."""

    prefix: Text
    suffix: Text = ""
    language: Text = Field("", description="a name from /v1/page, or nothing")
    n: int = Field(1, ge=1, le=3)
    max_tokens: Count = 64
    temperature: Temperature = 0.0
    top_p: TopP = 0.95
    top_k: TopK = 0
    seed: Seed | None = None
    stream: bool = True

    def cursor(self) -> Cursor:
        """Return the cursor for the assistant."""
        language = find_language(self.language) if self.language else None
        return Cursor(prefix=self.prefix, suffix=self.suffix, language=language)

    def options(self) -> SamplingOptions:
        """Return the sampling options for the engine."""
        return SamplingOptions(
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            seed=self.seed,
            n=self.n,
        )


def source(card: ModelCard) -> str:
    """Say in words where suggestions come from."""
    return f"{card.engine} on this machine" if card.engine in ("llama.cpp", "torch") else card.engine


_PAGE = {
    "version": "0.1.0",
    "model": "my-model",
    "licence": "apache-2.0",
    "context_length": 4096,
    "quantisation": "Q4_K_M",
    "infill": True,
    "prompt_style": "fence",
    "source": "llama.cpp on this machine",
    "languages": ["Python"],
    "authentication": "none",
}
_FIGURES = {
    "usage": {"prompt_tokens": 20, "cached_tokens": 12, "completion_tokens": 8},
    "latency_ms": 310.5,
    "time_to_first_token_ms": 90.1,
    "tokens_per_second": 36.3,
    "source": "llama.cpp on this machine",
}
_SUGGESTIONS = {"choices": [{"index": 0, "text": "return a + b", "finish_reason": "stop"}], **_FIGURES}


@router.get("/v1/page", summary="Facts that the page shows", responses=documented(_PAGE, OPENAI_ERROR))
async def page(service: Serving) -> Response:
    """Describe the server and its model."""
    card = service.card
    facts = {
        "version": tabwright.__version__,
        "model": card.name,
        "licence": card.licence,
        "context_length": card.context_length,
        "quantisation": card.quantisation,
        "infill": card.infill is not None,
        "prompt_style": card.prompt_style,
        "source": source(card),
        "languages": [language.name for language in languages()],
        "authentication": service.settings.authentication,
    }
    return JSONResponse(facts)


@router.post(
    "/v1/suggestions",
    summary="Suggestions for a cursor",
    responses=documented(_SUGGESTIONS, OPENAI_ERROR, stream=True),
)
async def suggestions(body: SuggestionRequest, service: Serving) -> Response:
    """Stream pieces of up to three candidates, then figures; or answer all at once with `stream` false."""
    events = _events(body, service)
    if body.stream:
        return EventStream(await begun(events))
    answers = [{"index": index, "text": "", "finish_reason": None} for index in range(body.n)]
    figures: dict[str, Any] = {}
    async with aclosing(events):
        async for event in events:
            if "index" not in event:
                figures = event
                continue
            answer = answers[event["index"]]
            answer["text"] += event["text"]
            answer["finish_reason"] = event.get("finish_reason")
    return JSONResponse({"choices": answers, **figures})


async def _events(body: SuggestionRequest, service: Service) -> Events:
    started = time.perf_counter()
    first_s: float | None = None
    answers = [Answer() for _ in range(body.n)]
    async with aclosing(service.suggest(body.cursor(), body.options())) as chunks:
        async for chunk in chunks:
            answers[chunk.index].push(chunk)
            if chunk.text:
                first_s = first_s or time.perf_counter() - started
                yield {"index": chunk.index, "text": chunk.text}
            if chunk.finish_reason:
                yield {"index": chunk.index, "text": "", "finish_reason": chunk.finish_reason}
    usage = total((answer.usage for answer in answers), body.n)
    yield _figures(usage, time.perf_counter() - started, first_s, source(service.card))


def _figures(usage: Usage, latency_s: float, first_s: float | None, origin: str) -> dict[str, Any]:
    """Return what the page shows; the speed is that of writing, from the first token on."""
    writing_s = latency_s - (first_s or 0.0)
    speed = (usage.completion_tokens - 1) / writing_s if usage.completion_tokens > 1 and writing_s > 0 else 0.0
    return {
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "completion_tokens": usage.completion_tokens,
        },
        "latency_ms": round(1000 * latency_s, 1),
        "time_to_first_token_ms": None if first_s is None else round(1000 * first_s, 1),
        "tokens_per_second": round(speed, 1),
        "source": origin,
    }
