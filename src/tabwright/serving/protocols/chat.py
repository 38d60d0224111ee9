"""OpenAI's chat completions (`POST /v1/chat/completions`).

References:
    OpenAI API reference, Chat completions.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, BeforeValidator, Field
from starlette.responses import JSONResponse, Response

from tabwright.sampling import ChatPrompt, Message, SamplingOptions, Token, Usage
from tabwright.serving.protocols.completions import StreamOptions
from tabwright.serving.protocols.events import Events, EventStream, begun
from tabwright.serving.protocols.fields import (
    OPENAI_ERROR,
    Count,
    MaxTokens,
    RequestBody,
    Seed,
    Stops,
    Temperature,
    Text,
    TopK,
    TopP,
    documented,
)
from tabwright.serving.protocols.gathering import Answer, gather, logprob, openai_usage, total
from tabwright.serving.service import Service, Serving

router = APIRouter(tags=["OpenAI"])


class TextPart(RequestBody):
    """A piece of a message; only text is understood."""

    type: Literal["text"]
    text: Text


def _spoken(role: Any) -> Any:
    if role in ("tool", "function"):
        raise ValueError("tools are not supported; the roles are 'system', 'developer', 'user' and 'assistant'")
    return role


def _plain(format: Any) -> Any:
    if not isinstance(format, dict) or format.get("type", "text") != "text":
        raise ValueError("only answers in plain text are supported; send {'type': 'text'}, or leave it out")
    return format


def _no_tool(choice: Any) -> Any:
    if choice not in ("none", "auto"):
        raise ValueError("tools are not supported, so none can be required; send 'none', or leave it out")
    return choice


def _some(length: int) -> int:
    if length == 0:
        raise ValueError("no token at all cannot be an answer; ask for at least 1, or leave it out")
    return length


def _parts(content: Any) -> Any:
    """Take text as its only part: a union of both would have an error for each of its members."""
    if not isinstance(content, str | list):
        raise ValueError("send text, or a list of parts of the type 'text'")
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


ChatLength = Annotated[MaxTokens, AfterValidator(_some)]


class ChatMessage(RequestBody):
    """One turn of a conversation; `developer` is a newer name for `system`."""

    role: Annotated[Literal["system", "developer", "user", "assistant"], BeforeValidator(_spoken)]
    content: Annotated[list[TextPart], BeforeValidator(_parts, json_schema_input_type=str | list[TextPart])] = Field(
        default=[]
    )

    def message(self) -> Message:
        """Return the message for the engine."""
        content = "".join(part.text for part in self.content)
        return Message(role="system" if self.role == "developer" else self.role, content=content)


class ChatRequest(RequestBody):
    """OpenAI's chat request. `top_k` is an addition of ours. Without a length, context and server limit end it."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=1000)
    model: Text = Field("", description="the served model, one of its aliases, or nothing")
    max_tokens: ChatLength | None = None
    max_completion_tokens: ChatLength | None = Field(None, description="the newer name of max_tokens")
    n: Count = 1
    stop: Stops = Field(default=[])
    seed: Seed | None = None
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    temperature: Temperature = 1.0
    top_p: TopP = 1.0
    top_k: TopK = 0
    logprobs: bool = False
    top_logprobs: int = Field(0, ge=0, le=20)
    response_format: Annotated[dict[str, Any], AfterValidator(_plain)] = Field(
        default={}, description="only {'type': 'text'}"
    )
    tool_choice: Annotated[Any, AfterValidator(_no_tool)] = Field("none", description="only 'none' and 'auto'")
    user: Text = Field("", description="accepted and not used")

    def options(self) -> SamplingOptions:
        """Return the sampling options for the engine."""
        return SamplingOptions(
            max_tokens=max(next((n for n in (self.max_completion_tokens, self.max_tokens) if n is not None), 0), 0),
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            seed=self.seed,
            stop=tuple(self.stop),
            n=self.n,
            top_logprobs=self.top_logprobs,
        )

    def prompt(self) -> ChatPrompt:
        """Return the conversation for the engine."""
        return ChatPrompt(messages=tuple(message.message() for message in self.messages))


_EXAMPLE = {
    "id": "chatcmpl-1f0c",
    "object": "chat.completion",
    "created": 1760000000,
    "model": "my-model",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hello!"}, "finish_reason": "stop", "logprobs": None}
    ],
    "usage": openai_usage(Usage(prompt_tokens=20, completion_tokens=3)),
}


@router.post("/v1/chat/completions", summary="Chat", responses=documented(_EXAMPLE, OPENAI_ERROR, stream=True))
async def chat(body: ChatRequest, service: Serving) -> Response:
    """Answer a conversation with its next message."""
    service.check_model(body.model)
    head = {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": "chat.completion.chunk" if body.stream else "chat.completion",
        "created": int(time.time()),
        "model": service.card.name,
    }
    if body.stream:
        return EventStream(await begun(_stream(body, service, head)))
    answers = await gather(service.complete([body.prompt()], body.options()), body.n)
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": answer.text, "refusal": None},
            "finish_reason": answer.finish_reason,
            "logprobs": _logprobs(answer.tokens, body),
        }
        for index, answer in enumerate(answers)
    ]
    usage = openai_usage(total((answer.usage for answer in answers), body.n))
    return JSONResponse({**head, "choices": choices, "usage": usage})


async def _stream(body: ChatRequest, service: Service, head: dict[str, Any]) -> Events:
    counted = {"usage": None} if body.stream_options.include_usage else {}
    answers: dict[int, Answer] = {}
    async with aclosing(service.complete([body.prompt()], body.options())) as chunks:
        async for chunk in chunks:
            delta: dict[str, Any] = {"content": chunk.text} if chunk.text else {}
            if chunk.index not in answers:
                answers[chunk.index] = Answer()
                delta = {"role": "assistant", "content": chunk.text}
            answers[chunk.index].push(chunk)
            scores = _logprobs(chunk.tokens, body)
            choice = {"index": chunk.index, "delta": delta, "finish_reason": chunk.finish_reason, "logprobs": scores}
            yield {**head, "choices": [choice], **counted}
    if counted:
        usages = (answers[index].usage for index in sorted(answers))
        yield {**head, "choices": [], "usage": openai_usage(total(usages, body.n))}


def _logprobs(tokens: Sequence[Token], body: ChatRequest) -> dict[str, Any] | None:
    if not body.logprobs:
        return None
    rows = [
        {
            **_scored(token.text, token.logprob),
            "top_logprobs": [_scored(text, value) for text, value in token.top[: body.top_logprobs]],
        }
        for token in tokens
    ]
    return {"content": rows, "refusal": None}


def _scored(text: str, value: float) -> dict[str, Any]:
    return {"token": text, "logprob": logprob(value), "bytes": list(text.encode())}
