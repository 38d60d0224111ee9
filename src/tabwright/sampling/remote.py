"""The remote engine: any server that speaks OpenAI's protocol, as an `Engine`; this is how a team outgrows one machine.

Text and log-probabilities are streamed through. The server's tokenizer is not ours to ask, so healing backs up over the
last white space or half word and checks that the answer spells it again; where it does not, the prompt is asked as it
stands. A llama.cpp server is recognised, and is held to the spelling by a grammar and asked to infill by its own route.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import httpx

from tabwright.sampling.engine import (
    ChatPrompt,
    Chunk,
    EngineError,
    FinishReason,
    InfillPrompt,
    ModelCard,
    Prompt,
    PromptError,
    PromptStyle,
    SamplingOptions,
    TextPrompt,
    Token,
    Usage,
)
from tabwright.sampling.healing import grammar
from tabwright.sampling.sample_stream import SampleStream, server_sent
from tabwright.sampling.stops import line_after

_LONGEST_RESPELL = 32
_HALF_WORD = re.compile(r"\w+\Z")
_CHARS_PER_TOKEN = 2.5
_ALL_THERE_IS = 1 << 30
_UNKNOWN_CONTEXT = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteConfig:
    """Where the server is: `url` ends in the protocol's root, usually `/v1`; no model means the server's first."""

    url: str
    model: str = ""
    api_key: str = ""
    prompt_style: PromptStyle = "completion"
    slots: int = 16


class RemoteEngine:
    """Speaks to one server. Make it with `start`, end it with `close`."""

    def __init__(
        self, config: RemoteConfig, client: httpx.AsyncClient, card: ModelCard, *, is_llama_cpp: bool, infills: bool
    ) -> None:
        self._config = config
        self._client = client
        self._card = card
        self._is_llama_cpp = is_llama_cpp
        self._infills = infills

    @classmethod
    async def start(cls, config: RemoteConfig) -> RemoteEngine:
        """Ask the server what it serves.

        Raises:
            EngineError: the server cannot be reached, or does not serve that model.
        """
        headers = {"Authorization": f"Bearer {config.api_key}"} if config.api_key else {}
        timeout = httpx.Timeout(None, connect=10)
        client = httpx.AsyncClient(base_url=config.url.rstrip("/") + "/", headers=headers, timeout=timeout)
        try:
            rows = (await _ask(client, "GET", "models"))["data"]
            row = next((row for row in rows if config.model in ("", row["id"])), None)
            if row is None:
                served = ", ".join(str(row["id"]) for row in rows)
                raise EngineError(f"{config.url} does not serve '{config.model}'; it serves: {served}")
            is_llama_cpp = row.get("owned_by") == "llamacpp"
            infills = is_llama_cpp and await _infills(client)
        except (KeyError, TypeError, ValueError):
            await client.aclose()
            raise EngineError(f"{config.url}/models does not answer in OpenAI's protocol; check the address") from None
        except EngineError:
            await client.aclose()
            raise
        return cls(config, client, _card(config, row), is_llama_cpp=is_llama_cpp, infills=infills)

    @property
    def card(self) -> ModelCard:
        """What the server says of the model."""
        return self._card

    @property
    def slots(self) -> int:
        """How many samples are asked for at once."""
        return self._config.slots

    async def generate(self, prompt: Prompt, options: SamplingOptions) -> AsyncGenerator[Chunk, None]:
        """Yield chunks of the samples of one prompt; see `Engine.generate`."""
        if isinstance(prompt, InfillPrompt) and prompt.order != "psm":
            raise PromptError(
                f"infill order {prompt.order}: a remote server lays out its own; run the model here for it"
            )
        if isinstance(prompt, InfillPrompt) and not self._infills:
            line = line_after(prompt.suffix)
            options = replace(options, stop=(*options.stop, line) if line else options.stop)
        prompt = _cut(prompt, options, self._card.context_length)
        respell = _respell(prompt)
        limit = options.max_tokens or _ALL_THERE_IS
        streams = [SampleStream(respell, options, limit) for _ in range(options.n)]
        failed: set[int] = set()
        async with aclosing(self._events(self._request(prompt, respell, options))) as events:
            async for event in events:
                for choice in event.get("choices", []):
                    index = choice.get("index", 0)
                    if index in failed or streams[index].over:
                        continue
                    try:
                        chunk = _advance(choice, streams[index], index, event)
                    except ValueError:
                        failed.add(index)
                        continue
                    if chunk is not None:
                        yield chunk
                if all(stream.over or index in failed for index, stream in enumerate(streams)):
                    break
        for index in sorted(failed):
            async with aclosing(self._verbatim(prompt, options, index)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _verbatim(self, prompt: Prompt, options: SamplingOptions, index: int) -> AsyncGenerator[Chunk, None]:
        """One sample of the prompt as it stands, for a server that does not spell its end again."""
        seed = None if options.seed is None else options.seed + index
        options = replace(options, n=1, seed=seed)
        stream = SampleStream("", options, options.max_tokens or _ALL_THERE_IS)
        async with aclosing(self._events(self._request(prompt, "", options))) as events:
            async for event in events:
                for choice in event.get("choices", []):
                    chunk = _advance(choice, stream, index, event)
                    if chunk is not None:
                        yield chunk
                    if stream.over:
                        return

    def _request(self, prompt: Prompt, respell: str, options: SamplingOptions) -> tuple[str, dict[str, Any]]:
        body = {
            "model": self._card.name,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "n": options.n,
            "seed": options.seed,
            "stream": True,
        }
        if options.max_tokens:
            body["max_tokens"] = options.max_tokens + len(respell)
        if options.top_k:
            body["top_k"] = options.top_k
        if respell and self._is_llama_cpp:
            body["grammar"] = grammar(respell)
        match prompt:
            case ChatPrompt():
                messages = [{"role": m.role, "content": m.content} for m in prompt.messages]
                if prompt.opening:
                    opening = prompt.opening.removesuffix(respell)
                    messages.append({"role": "assistant", "content": opening})
                    body |= {"continue_final_message": True, "add_generation_prompt": False}
                return "chat/completions", body | {"messages": messages, "logprobs": True}
            case InfillPrompt() if self._infills:
                extra = [{"filename": file.path, "text": file.text} for file in prompt.context]
                body |= {"input_prefix": prompt.prefix.removesuffix(respell), "input_suffix": prompt.suffix}
                return "../infill", body | {"input_extra": extra, "n_predict": body.get("max_tokens", -1), "n_probs": 1}
            case InfillPrompt():
                text = {"prompt": prompt.prefix.removesuffix(respell)}
                if not self._is_llama_cpp:  # which would take no notice of it
                    text["suffix"] = prompt.suffix
                return "completions", body | text | {"logprobs": max(options.top_logprobs, 1)}
            case TextPrompt():
                text = {"prompt": prompt.text.removesuffix(respell)}
                return "completions", body | text | {"logprobs": max(options.top_logprobs, 1)}

    async def _events(self, request: tuple[str, dict[str, Any]]) -> AsyncGenerator[dict[str, Any], None]:
        path, body = request
        try:
            async with self._client.stream("POST", path, json=body) as response:
                if response.status_code != 200:
                    _raise_for(response.status_code, await response.aread())
                async for event in server_sent(response.aiter_text()):
                    if "error" in event:
                        _raise_for(500, json.dumps(event).encode())
                    yield _like_openai(event)
        except httpx.TransportError as error:
            raise EngineError(f"{self._config.url} stopped answering ({type(error).__name__})") from None


def _respell(prompt: Prompt) -> str:
    """The white space or half word that the prompt ends in."""
    match prompt:
        case TextPrompt():
            text = prompt.text
        case InfillPrompt():
            text = prompt.prefix
        case ChatPrompt():
            text = prompt.opening
    tail = text[-_LONGEST_RESPELL:]
    blank = tail[len(tail.rstrip()) :]
    word = _HALF_WORD.search(tail)
    respell = blank or (word[0] if word else "")
    return respell if len(respell) < len(text) else ""


def _cut(prompt: Prompt, options: SamplingOptions, context_length: int) -> Prompt:
    """Cut what may be cut, far from the cursor, to what is sure to fit: we cannot count this server's tokens."""
    n_tokens = min(context_length - options.max_tokens, options.max_prompt_tokens or context_length)
    if n_tokens < 1:
        raise PromptError(
            f"max_tokens {options.max_tokens} leaves no room for a prompt in the model's context of "
            f"{context_length} tokens; ask for fewer tokens"
        )
    n_chars = int(n_tokens * _CHARS_PER_TOKEN)
    match prompt:
        case TextPrompt(cut=True):
            return replace(prompt, text=_end(prompt.text, n_chars))
        case InfillPrompt():
            suffix = prompt.suffix[: max(n_chars // 4, n_chars - len(prompt.prefix))]
            return replace(prompt, prefix=_end(prompt.prefix, n_chars - len(suffix)), suffix=suffix)
        case ChatPrompt():
            opening = _end(prompt.opening, n_chars * 3 // 4)
            messages = tuple(replace(m, content=_end(m.content, n_chars // 4)) if m.cut else m for m in prompt.messages)
            return replace(prompt, messages=messages, opening=opening)
        case TextPrompt():
            return prompt


def _end(text: str, n_chars: int) -> str:
    """The last characters; the cut moves in steps, so that the server's cached prefix outlives some keystrokes."""
    if len(text) <= n_chars:
        return text
    step = max(n_chars // 4, 1)
    return text[-(-(len(text) - n_chars) // step) * step :]


def _advance(choice: dict[str, Any], stream: SampleStream, index: int, event: dict[str, Any]) -> Chunk | None:
    """Turn one choice of a streamed answer into a chunk.

    Raises:
        ValueError: the answer does not spell the end of the prompt again.
    """
    delta = choice.get("delta") or {}
    text, tokens = stream.push(choice.get("text") or delta.get("content") or "", _tokens(choice.get("logprobs")))
    reason = choice.get("finish_reason")
    if reason is None and not stream.over:
        return Chunk(index=index, text=text, tokens=tokens) if text else None
    if not stream.respelt:
        raise ValueError("the answer ended before the end of the prompt was spelt again")
    last, last_tokens = stream.flush()
    counted = event.get("usage") or {}
    usage = Usage(prompt_tokens=counted.get("prompt_tokens", 0), completion_tokens=stream.n_tokens)
    finish: FinishReason = "length" if not stream.stopped and (stream.over or reason == "length") else "stop"
    return Chunk(index=index, text=text + last, tokens=tokens + last_tokens, finish_reason=finish, usage=usage)


def _like_openai(event: dict[str, Any]) -> dict[str, Any]:
    """Give an event of llama.cpp's own `/infill` the shape of OpenAI's."""
    if "choices" in event or "content" not in event:
        return event
    rows = event.get("completion_probabilities", [])
    reason = None if not event.get("stop") else "length" if event.get("stop_type") == "limit" else "stop"
    choice = {"index": event.get("index", 0), "text": event["content"], "finish_reason": reason}
    return {
        "choices": [choice | {"logprobs": {"content": rows}}],
        "usage": {"prompt_tokens": event.get("tokens_evaluated", 0)},
    }


def _tokens(logprobs: dict[str, Any] | None) -> list[Token]:
    """Read the log-probabilities of either protocol: `content` rows (chat) or parallel lists (completions)."""
    if not logprobs:
        return []
    if logprobs.get("content") is not None:
        return [
            Token(
                text=row["token"],
                logprob=row["logprob"],
                top=tuple((other["token"], other["logprob"]) for other in row.get("top_logprobs", [])),
            )
            for row in logprobs["content"]
        ]
    texts, values = logprobs.get("tokens") or [], logprobs.get("token_logprobs") or []
    tops = logprobs.get("top_logprobs") or [None] * len(texts)
    return [
        Token(text=text, logprob=value or 0.0, top=tuple((top or {}).items()))
        for text, value, top in zip(texts, values, tops, strict=False)
    ]


def _card(config: RemoteConfig, row: dict[str, Any]) -> ModelCard:
    meta = row.get("meta") or {}
    return ModelCard(
        name=str(row["id"]),
        engine=f"remote, {httpx.URL(config.url).host}",
        context_length=int(row.get("max_model_len") or meta.get("n_ctx_train") or _UNKNOWN_CONTEXT),
        n_parameters=meta.get("n_params"),
        size_bytes=meta.get("size"),
        prompt_style=config.prompt_style,
    )


async def _infills(client: httpx.AsyncClient) -> bool:
    """Whether a llama.cpp server's model has infill tokens, found by asking for one."""
    try:
        body = {"input_prefix": "a", "input_suffix": "b", "n_predict": 1}
        return (await client.post("../infill", json=body, timeout=60)).status_code == 200
    except httpx.HTTPError:
        return False


async def _ask(client: httpx.AsyncClient, method: str, path: str) -> Any:
    try:
        response = await client.request(method, path, timeout=10)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise EngineError(f"{client.base_url} cannot be reached ({reason}); is the server running?") from None
    if response.status_code != 200:
        _raise_for(response.status_code, response.content)
    return response.json()


def _raise_for(status: int, body: bytes) -> None:
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = body[:200].decode("utf-8", "replace") or "no reason given"
    if status in (400, 422):
        raise PromptError(f"the remote server refused the request: {message}")
    remedy = "; its address usually ends in /v1" if status == 404 else ""
    raise EngineError(f"the remote server answered {status}: {message}{remedy}")
