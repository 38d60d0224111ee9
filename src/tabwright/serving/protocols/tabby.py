"""Tabby's protocol, for its editor plugins: segments around the cursor in, choices out; health, events, settings.

References:
    Tabby's OpenAPI document (tabbyml/tabby) and its `tabby-agent` client.
"""

from __future__ import annotations

import os
import platform
import secrets
from collections.abc import Iterator

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse, Response

import tabwright
from tabwright.assistant import Cursor, Language, UnknownLanguageError, find_language, language_of
from tabwright.sampling import ContextFile, SamplingOptions
from tabwright.serving.protocols.fields import OPENAI_ERROR, RequestBody, Seed, Temperature, Text, documented
from tabwright.serving.protocols.gathering import gather
from tabwright.serving.service import Service, Serving

router = APIRouter(tags=["Tabby"])

# Tabby's own default; its clients cannot ask for another length.
_MAX_TOKENS = 64
_MAX_SNIPPETS = 64


class Snippet(RequestBody):
    """A piece of another file."""

    filepath: Text = ""
    body: Text = ""


class Segments(RequestBody):
    """What stands around the cursor."""

    prefix: Text
    suffix: Text = ""
    filepath: Text = ""
    git_url: Text = Field("", description="accepted and not used")
    declarations: list[Snippet] = Field(default=[], max_length=_MAX_SNIPPETS)
    relevant_snippets_from_changed_files: list[Snippet] = Field(default=[], max_length=_MAX_SNIPPETS)
    relevant_snippets_from_recently_opened_files: list[Snippet] = Field(default=[], max_length=_MAX_SNIPPETS)
    clipboard: Text = Field("", description="accepted and not shown to the model")

    def context(self) -> Iterator[ContextFile]:
        """Yield snippets, what matters most last: that is nearest to the cursor."""
        for snippet in (
            *self.relevant_snippets_from_recently_opened_files,
            *self.relevant_snippets_from_changed_files,
            *self.declarations,
        ):
            if snippet.body:
                yield ContextFile(path=snippet.filepath, text=snippet.body)


class CompletionRequest(RequestBody):
    """Tabby's completion request."""

    segments: Segments
    language: Text = ""
    temperature: Temperature = 0.0
    seed: Seed | None = None
    user: Text = Field("", description="accepted and not used")


class _Ignored(RequestBody):
    """A body of which nothing is read."""


async def complete(body: CompletionRequest, service: Service) -> Response:
    """Answer a Tabby completion request; the route is the one of OpenAI's."""
    segments = body.segments
    cursor = Cursor(
        prefix=segments.prefix,
        suffix=segments.suffix,
        language=_language(body.language, segments.filepath),
        context=tuple(segments.context()),
    )
    limit = min(_MAX_TOKENS, service.settings.max_tokens_limit)
    options = SamplingOptions(max_tokens=limit, temperature=body.temperature, seed=body.seed)
    (answer,) = await gather(service.suggest(cursor, options), 1)
    choices = [{"index": 0, "text": answer.text}]
    return JSONResponse({"id": f"cmpl-{secrets.token_hex(12)}", "choices": choices})


def _language(name: str, filepath: str) -> Language | None:
    """Return the language by its name, else by the file's; editors have names for languages that no table has."""
    try:
        return find_language(name)
    except UnknownLanguageError:
        return language_of(filepath) if filepath else None


_HEALTH = {
    "model": "my-model",
    "chat_model": "my-model",
    "device": "cpu",
    "arch": "x86_64",
    "cpu_info": "x86_64",
    "cpu_count": 2,
    "cuda_devices": [],
    "version": {"build_date": "", "build_timestamp": "", "git_sha": "", "git_describe": "v0.1.0"},
}


async def health(service: Serving) -> Response:
    """Say which model is served, and by which version."""
    name = service.card.name
    version = {"build_date": "", "build_timestamp": "", "git_sha": "", "git_describe": f"v{tabwright.__version__}"}
    facts: dict[str, object] = {
        "model": name,
        "chat_model": name if service.card.has_chat else None,
        "device": "cpu",
        "arch": platform.machine(),
        "cpu_info": platform.processor() or platform.machine(),
        "cpu_count": os.cpu_count() or 1,
        "cuda_devices": [],
        "version": version,
    }
    return JSONResponse(facts)


for _method in ("GET", "POST"):
    router.add_api_route(
        "/v1/health",
        health,
        methods=[_method],
        summary="Health, as Tabby's clients ask for it",
        responses=documented(_HEALTH, OPENAI_ERROR),
        operation_id=f"tabby_health_{_method.lower()}",
    )


@router.post("/v1/events", summary="Accept a client's event and forget it", response_class=Response)
async def events(body: _Ignored) -> Response:
    """Take what Tabby's clients report; nothing of it is kept."""
    return Response()


@router.get("/v1beta/server_setting", summary="Ask clients not to report anything", response_class=JSONResponse)
async def server_setting() -> Response:
    """Ask clients to keep their telemetry to themselves."""
    return JSONResponse({"disable_client_side_telemetry": True})
