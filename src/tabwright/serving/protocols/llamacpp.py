"""llama.cpp's infilling protocol (`POST /infill`), with which llama.vim and llama.vscode work; `/health`, `/props`.

Differs: an indentation below `n_indent` ends the text before that line (llama.cpp keeps the line's white space), and
blank lines do not count; `t_max_prompt_ms` is accepted and not needed, since prompts of editors are cut short anyway.

References:
    llama.cpp, `tools/server/README.md`, POST /infill; ggml-org/llama.vim, `autoload/llama.vim`.
"""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from tabwright.assistant import Cursor, language_of
from tabwright.sampling import ContextFile, SamplingOptions, Usage
from tabwright.serving.protocols.events import Events, EventStream, begun, compact
from tabwright.serving.protocols.fields import RequestBody, Stops, Temperature, Text, TopP, documented
from tabwright.serving.protocols.gathering import Answer
from tabwright.serving.service import Service, Serving

router = APIRouter(tags=["llama.cpp"])

_Integer = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]


class ExtraFile(RequestBody):
    """Text from elsewhere in the repository."""

    filename: Text = ""
    text: Text = ""


class InfillRequest(RequestBody):
    """llama.cpp's infill request. `cache_prompt`, `samplers`, `id_slot` and others are accepted and not needed."""

    input_prefix: Text = ""
    input_suffix: Text = ""
    input_extra: list[ExtraFile] = Field(default=[], max_length=256)
    prompt: Text = Field("", description="text after the prefix, on the cursor's line")
    filename: Text = Field("", description="the file's own name, for its language")
    n_predict: _Integer = Field(-1, description="the most new tokens; -1 is as many as allowed, 0 only fills the cache")
    n_indent: int = Field(0, ge=0, le=1000, description="end before a line that is indented less than this")
    stop: Stops = Field(default=[])
    temperature: Temperature = 0.8
    top_k: _Integer = 40
    top_p: TopP = 0.95
    seed: Annotated[int, Field(ge=-(2**63), lt=2**64)] = -1
    t_max_prompt_ms: float = Field(0, allow_inf_nan=False)
    t_max_predict_ms: float = Field(
        0, allow_inf_nan=False, description="end at the first newline that comes after this long; 0 has no limit"
    )
    response_fields: list[Text] = Field(default=[], max_length=100, description="paths such as timings/prompt_n")
    stream: bool = False

    def cursor(self) -> Cursor:
        """Return the cursor for the assistant."""
        files = (ContextFile(path=file.filename, text=file.text) for file in self.input_extra if file.text)
        return Cursor(
            prefix=self.input_prefix + self.prompt,
            suffix=self.input_suffix,
            language=language_of(self.filename) if self.filename else None,
            context=tuple(files),
        )

    def options(self, limit: int) -> SamplingOptions:
        """Return the sampling options for the engine."""
        return SamplingOptions(
            max_tokens=limit if self.n_predict < 0 else self.n_predict,
            temperature=self.temperature,
            top_k=max(self.top_k, 0),
            top_p=self.top_p,
            seed=None if self.seed < 0 else self.seed,
            stop=tuple(self.stop),
        )


@dataclass(kw_only=True, slots=True)
class Progress:
    """One infilling as far as it has come, and when."""

    started_s: float
    first_s: float | None = None
    shown: str = ""
    stop_type: str = "none"

    def timings(self, usage: Usage) -> dict[str, Any]:
        """Return llama.cpp's timings; tokens from the cache are not counted as read."""
        now = time.perf_counter()
        first_s = now if self.first_s is None else self.first_s
        prompt_n = usage.prompt_tokens - usage.cached_tokens
        return {
            "cache_n": usage.cached_tokens,
            **_pace("prompt", prompt_n, 1000 * (first_s - self.started_s)),
            **_pace("predicted", usage.completion_tokens, 1000 * (now - first_s)),
        }


_TIMINGS = {
    "prompt_n": 40,
    "prompt_ms": 310.0,
    "prompt_per_token_ms": 7.75,
    "prompt_per_second": 129.0,
    "predicted_n": 8,
    "predicted_ms": 210.0,
    "predicted_per_token_ms": 26.3,
    "predicted_per_second": 38.1,
}
_EXAMPLE = {"content": "return a + b", "stop": True, "stop_type": "eos", "tokens_cached": 48, "timings": _TIMINGS}
_ERROR = {"error": {"code": 400, "message": "n_indent: ...", "type": "invalid_request_error"}}


@router.post("/infill", summary="Fill in at a cursor", responses=documented(_EXAMPLE, _ERROR, stream=True))
async def infill(body: InfillRequest, service: Serving) -> Response:
    """Answer an infill request in one line of compact JSON, or as a stream."""
    if body.n_predict == 0:
        service.warm(body.cursor())
        answer = _result(body, service, Answer(), Progress(started_s=time.perf_counter(), stop_type="limit"))
        return Response(compact(_chosen(answer, body.response_fields)), media_type="application/json")
    events = _events(body, service)
    if body.stream:
        return EventStream(await begun(events), done=False)
    content, last = "", {}
    async with aclosing(events):
        async for last in events:
            content += last["content"]
    return Response(compact(_chosen({**last, "content": content}, body.response_fields)), media_type="application/json")


@router.head("/health", include_in_schema=False)
@router.get("/health", summary="Whether the server is ready", responses=documented({"status": "ok"}, _ERROR))
async def health() -> Response:
    """Answer ok; a server that is still loading does not answer at all."""
    return Response(compact({"status": "ok"}), media_type="application/json")


_PROPS = {"default_generation_settings": {"n_ctx": 4096}, "total_slots": 4, "model_alias": "my-model"}


@router.get("/props", summary="The model's properties", responses=documented(_PROPS, _ERROR))
async def props(service: Serving) -> Response:
    """Describe the model as llama.cpp's server does."""
    card = service.card
    answer = {
        "default_generation_settings": {"n_ctx": card.context_length},
        "total_slots": service.slots,
        "model_alias": card.name,
        "model_path": card.name,
        "modalities": {"vision": False, "audio": False},
    }
    return Response(compact(answer), media_type="application/json")


async def _events(body: InfillRequest, service: Service) -> Events:
    """Yield pieces, then the whole result with the last piece as its content."""
    progress = Progress(started_s=time.perf_counter())
    answer = Answer()
    limit = min(service.settings.max_tokens_limit, service.card.context_length // 2)
    async with aclosing(service.suggest(body.cursor(), body.options(limit))) as chunks:
        async for chunk in chunks:
            answer.push(chunk)
            if chunk.text and progress.first_s is None:
                progress.first_s = time.perf_counter()
            ready, is_over = _indented(answer.text, body.n_indent, final=chunk.finish_reason is not None)
            piece, progress.shown = ready[len(progress.shown) :], ready
            if is_over or _is_late(body, progress, piece):
                progress.stop_type = "limit"
            elif chunk.finish_reason is not None:
                progress.stop_type = "limit" if chunk.finish_reason == "length" else "eos"
            if progress.stop_type != "none":
                yield {**_result(body, service, answer, progress), "content": piece}
                return
            if piece:
                yield {"content": piece, "stop": False}
    yield {**_result(body, service, answer, progress), "content": ""}


def _indented(text: str, n_indent: int, *, final: bool) -> tuple[str, bool]:
    """Return what may be shown of `text`, and whether a line that is indented less than `n_indent` ends it.

    A line is held back until it is known how far it is indented.
    """
    if n_indent == 0:
        return text, False
    at = text.find("\n")
    while at >= 0:
        line, newline, _ = text[at + 1 :].partition("\n")
        bare = line.lstrip(" \t")
        if not bare and not newline:
            return (text if final else text[:at]), False
        if bare and len(line) - len(bare) < n_indent:
            return text[:at], True
        at = text.find("\n", at + 1)
    return text, False


def _is_late(body: InfillRequest, progress: Progress, piece: str) -> bool:
    if body.t_max_predict_ms <= 0 or progress.first_s is None or "\n" not in piece:
        return False
    return 1000 * (time.perf_counter() - progress.first_s) > body.t_max_predict_ms


def _result(body: InfillRequest, service: Service, answer: Answer, progress: Progress) -> dict[str, Any]:
    usage = answer.usage
    if usage == Usage():  # ended by us, before the engine counted
        usage = Usage(completion_tokens=len(answer.tokens))
    return {
        "content": "",
        "stop": True,
        "stop_type": progress.stop_type,
        "model": service.card.name,
        "tokens_predicted": usage.completion_tokens,
        "tokens_evaluated": usage.prompt_tokens,
        "tokens_cached": usage.prompt_tokens + usage.completion_tokens,
        "truncated": False,
        "generation_settings": {
            "n_predict": body.n_predict,
            "temperature": body.temperature,
            "top_k": body.top_k,
            "top_p": body.top_p,
            "seed": body.seed,
            "stop": list(body.stop),
        },
        "timings": progress.timings(usage),
    }


def _pace(name: str, count: int, took_ms: float) -> dict[str, Any]:
    return {
        f"{name}_n": count,
        f"{name}_ms": took_ms,
        f"{name}_per_token_ms": took_ms / count if count else 0.0,
        f"{name}_per_second": 1000 * count / took_ms if took_ms > 0 else 0.0,
    }


def _chosen(result: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """Return the values at paths such as `timings/prompt_n`, each under its whole path; no paths return everything."""
    if not paths:
        return result
    chosen = {}
    for path in paths:
        value: Any = result
        for step in path.replace(".", "/").split("/"):
            value = value.get(step, ...) if isinstance(value, dict) else ...
        if value is not ...:
            chosen[path] = value
    return chosen
