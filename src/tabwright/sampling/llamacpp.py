"""The llama.cpp engine: a GGUF file in, an `Engine` out; runs in this process on the CPU.

The `xllamacpp` wheel holds llama.cpp's own server. It is reached over a socket file that only this user can open, so
that waiting for tokens blocks no thread and closing a stream cancels it, during the reading of a prompt too. Prompts
are sent as ids; healing, stop strings and log-probabilities are handled on our side, as for every engine.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from tabwright.sampling.engine import (
    ChatPrompt,
    Chunk,
    EngineError,
    InfillPrompt,
    Message,
    ModelCard,
    Prompt,
    PromptError,
    PromptStyle,
    SamplingOptions,
    TextPrompt,
    Token,
    Usage,
)
from tabwright.sampling.healing import Vocabulary, grammar
from tabwright.sampling.models.gguf import GGUFFile, read_gguf
from tabwright.sampling.prompts import Piece, RenderedPrompt, Renderer
from tabwright.sampling.sample_stream import SampleStream, server_sent
from tabwright.sampling.stops import line_after

# Prompt tokens read between two looks at the queue. A cancelled prompt holds its slot this long, so it is small; on two
# cores 128 read prompts as fast as 2,048 did (docs/log.md).
BATCH_TOKENS = 128
# How long the threads of llama.cpp spin at a barrier before they sleep. By default they spin so long that any other
# busy program on the machine halves their speed and a second engine all but stops both; this costs nothing on an idle
# machine (docs/log.md).
_SPIN_COUNT = "2000"
_FOLDER_PREFIX = "tabwright-engine-"


@dataclass(frozen=True, kw_only=True, slots=True)
class LlamaCppConfig:
    """How to run a model. `context_length` is in tokens for each slot, capped at what the model was trained for."""

    path: Path
    name: str
    licence: str = ""
    prompt_style: PromptStyle | None = None
    slots: int = 4
    context_length: int = 4096
    n_threads: int | None = None


class LlamaCppEngine:
    """Runs one GGUF model. Make it with `start`, end it with `close`; it belongs to one event loop."""

    def __init__(self, config: LlamaCppConfig, gguf: GGUFFile, server: Any, folder: Path) -> None:
        self._server: Any | None = server
        self._folder = folder
        self._slots = config.slots
        self._card = _card(config, gguf)
        self._client = httpx.AsyncClient(
            # llama.cpp closes a connection after a streamed answer, so none is kept for a second request.
            transport=httpx.AsyncHTTPTransport(
                uds=str(folder / "llama.sock"), limits=httpx.Limits(max_keepalive_connections=0)
            ),
            base_url="http://llama",
            timeout=httpx.Timeout(None, connect=10),
        )
        self._renderer = Renderer(
            tokenize=self._tokenize,
            template=self._apply_template,
            infill=self._card.infill,
            vocabulary=Vocabulary(gguf.pieces()),
        )
        self._empty_prompt = _first_id(gguf)

    @classmethod
    async def start(cls, config: LlamaCppConfig) -> LlamaCppEngine:
        """Load the model.

        Raises:
            EngineError: the file is not a whole GGUF file, or llama.cpp cannot run it.
        """
        gguf = read_gguf(config.path)
        _remove_abandoned_folders()
        folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER_PREFIX}{os.getpid()}-"))
        try:
            server = await asyncio.to_thread(_load, config, gguf, folder / "llama.sock")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _keep_python_signals()
        return await asyncio.to_thread(cls, config, gguf, server, folder)

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""
        return self._card

    @property
    def slots(self) -> int:
        """How many samples are decoded at once."""
        return self._slots

    async def generate(self, prompt: Prompt, options: SamplingOptions) -> AsyncGenerator[Chunk, None]:
        """Yield chunks of the samples of one prompt; see `Engine.generate`."""
        if isinstance(prompt, ChatPrompt) and not self._card.has_chat:
            raise PromptError(f"model '{self._card.name}' has no chat template; use completion instead")
        if isinstance(prompt, InfillPrompt) and self._card.infill is None:
            options = _stop_before(options, line_after(prompt.suffix))
        if isinstance(prompt, TextPrompt) and not prompt.text:
            rendered = RenderedPrompt([self._empty_prompt], "")
        else:
            room = self._card.context_length - options.max_tokens
            rendered = await self._renderer.render(prompt, min(room, options.max_prompt_tokens or room))
        for first in range(0, options.n, self._slots):
            seed = None if options.seed is None else options.seed + first
            part = replace(options, n=min(self._slots, options.n - first), seed=seed)
            async with aclosing(self._samples(rendered, part, first)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def close(self) -> None:
        """Stop llama.cpp and free the model's memory."""
        await self._client.aclose()
        server, self._server = self._server, None
        await asyncio.to_thread(_drop, [server])
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _samples(
        self, rendered: RenderedPrompt, options: SamplingOptions, first: int
    ) -> AsyncGenerator[Chunk, None]:
        """Decode at most `slots` samples at once; sample numbers begin at `first`."""
        streams = [SampleStream(rendered.respell, options.stop) for _ in range(options.n)]
        again = []
        async with aclosing(self._events(_request(rendered, options))) as events:
            async for event in events:
                index, stream = event["index"], streams[event["index"]]
                if stream.stopped:
                    continue
                chunk = _advance(event, stream, first + index)
                if event["stop"] and event.get("stop_type") == "word" and not stream.respelt:
                    again.append(index)
                elif chunk is not None:
                    yield chunk
                if all(stream.stopped for stream in streams):
                    return
        for index in again:  # llama.cpp saw a stop string inside what was to be spelt again
            seed = None if options.seed is None else options.seed + index
            async with aclosing(self._samples(rendered, replace(options, n=1, seed=seed), first + index)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def _events(self, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        try:
            async with self._client.stream("POST", "/completion", json=body) as response:
                if response.status_code != 200:
                    _raise_for(response.status_code, await response.aread())
                async for event in server_sent(response.aiter_text()):
                    if "error" in event:
                        _raise_for(500, json.dumps(event).encode())
                    yield event
        except httpx.TransportError as error:
            raise EngineError(f"llama.cpp stopped answering ({type(error).__name__}); restart the server") from error

    async def _ask(self, path: str, body: dict[str, Any]) -> Any:
        try:
            response = await self._client.post(path, json=body)
        except httpx.TransportError as error:
            raise EngineError(f"llama.cpp stopped answering ({type(error).__name__}); restart the server") from error
        if response.status_code != 200:
            _raise_for(response.status_code, response.content)
        return response.json()

    async def _tokenize(self, text: str, first: bool, special: bool) -> list[Piece]:
        if not text and not first:
            return []
        answer = await self._ask(
            "/tokenize",
            {"content": text, "add_special": first, "parse_special": special, "with_pieces": True},
        )
        return [(token["id"], _piece_bytes(token["piece"])) for token in answer["tokens"]]

    async def _apply_template(self, messages: Sequence[Message]) -> str:
        rows = [{"role": message.role, "content": message.content} for message in messages]
        answer = await self._ask("/apply-template", {"messages": rows})
        return str(answer["prompt"])


def _remove_abandoned_folders() -> None:
    """Remove the socket folders of this user's engines that were killed before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER_PREFIX}*"):
        pid = folder.name.removeprefix(_FOLDER_PREFIX).split("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists() and folder.stat().st_uid == os.getuid():
            shutil.rmtree(folder, ignore_errors=True)


def _load(config: LlamaCppConfig, gguf: GGUFFile, socket: Path) -> Any:
    os.environ.setdefault("GOMP_SPINCOUNT", _SPIN_COUNT)  # read once, when the library is loaded
    try:
        import xllamacpp
    except ImportError as error:
        raise EngineError(f"llama.cpp cannot be loaded ({error}); `tabwright doctor` says what to install") from None

    context_length = _context_length(config, gguf)
    params = xllamacpp.CommonParams()
    params.model.path = str(config.path)
    params.hostnames = [str(socket)]
    params.n_ctx = context_length * config.slots
    params.n_parallel = config.slots
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.n_gpu_layers = 0
    params.fit_params = False
    params.cache_ram_mib = 0
    params.verbosity = -1
    params.ui = False
    params.endpoint_metrics = True
    for pool in (params.cpuparams, params.cpuparams_batch):
        pool.n_threads = config.n_threads or len(os.sched_getaffinity(0))
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise EngineError(
            f"{config.path}: llama.cpp cannot load this {gguf.architecture} model ({str(error).rstrip('.')}); "
            "check that there is enough free memory, and that its architecture is one that llama.cpp runs"
        ) from None


def _drop(holder: list[Any]) -> None:
    """Let go of the last reference here, in a worker thread: llama.cpp joins its own threads on the way out."""
    holder.clear()


def _keep_python_signals() -> None:
    """Put Python's signal handlers back; llama.cpp's server takes SIGINT and SIGTERM for itself."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _context_length(config: LlamaCppConfig, gguf: GGUFFile) -> int:
    return min(config.context_length, gguf.context_length or config.context_length)


def _card(config: LlamaCppConfig, gguf: GGUFFile) -> ModelCard:
    return ModelCard(
        name=config.name,
        engine="llama.cpp",
        context_length=_context_length(config, gguf),
        architecture=gguf.architecture,
        n_parameters=gguf.n_parameters,
        quantisation=gguf.quantisation,
        size_bytes=gguf.size_bytes,
        licence=config.licence or gguf.licence,
        infill=gguf.infill_tokens(),
        has_chat=gguf.has_chat,
        prompt_style=config.prompt_style or ("fence" if gguf.has_chat else "completion"),
    )


def _first_id(gguf: GGUFFile) -> int:
    """The token that an empty prompt begins with: the model's beginning-of-text, else its end-of-text."""
    metadata = gguf.metadata
    return int(metadata.get("tokenizer.ggml.bos_token_id", metadata.get("tokenizer.ggml.eos_token_id", 0)))


def _stop_before(options: SamplingOptions, line: str | None) -> SamplingOptions:
    return options if line is None else replace(options, stop=(*options.stop, line))


def _request(rendered: RenderedPrompt, options: SamplingOptions) -> dict[str, Any]:
    body: dict[str, Any] = {
        "prompt": rendered.ids,
        "stream": True,
        "n_predict": options.max_tokens,
        "n_probs": max(options.top_logprobs, 1),
        "n_cmpl": options.n,
        "samplers": ["temperature", "top_k", "top_p"] if options.temperature > 0 else ["top_k"],
        "temperature": options.temperature,
        "top_k": options.top_k if options.temperature > 0 else 1,
        "top_p": options.top_p,
        "min_p": 0.0,
        "cache_prompt": True,
        "timings_per_token": True,  # a stream that we end ourselves has counted its cached tokens too
    }
    if options.seed is not None:
        body["seed"] = options.seed % 2**32
    if rendered.respell:
        body["grammar"] = grammar(rendered.respell)
    if options.n > 1:  # lets llama.cpp end each sample by itself; a single one is ended by closing the stream
        body["stop"] = [stop for stop in options.stop if stop not in rendered.respell]
    return body


def _advance(event: dict[str, Any], stream: SampleStream, index: int) -> Chunk | None:
    text, tokens = stream.push(event["content"], _tokens(event))
    if not (event["stop"] or stream.stopped):
        return Chunk(index=index, text=text, tokens=tokens) if text else None
    last, last_tokens = stream.flush()
    limit = event.get("stop_type") == "limit" and not stream.stopped
    usage = Usage(
        prompt_tokens=event.get("tokens_evaluated", 0),
        cached_tokens=event.get("timings", {}).get("cache_n", 0),
        completion_tokens=stream.n_tokens,
    )
    return Chunk(
        index=index,
        text=text + last,
        tokens=tokens + last_tokens,
        finish_reason="length" if limit else "stop",
        usage=usage,
    )


def _tokens(event: dict[str, Any]) -> list[Token]:
    return [
        Token(
            text=row["token"],
            logprob=row["logprob"],
            top=tuple((other["token"], other["logprob"]) for other in row["top_logprobs"]),
        )
        for row in event.get("completion_probabilities", [])
    ]


def _raise_for(status: int, body: bytes) -> None:
    try:
        message = str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = body[:200].decode("utf-8", "replace")
    if status == 400:
        raise PromptError(message)
    raise EngineError(f"llama.cpp: {message}")


def _piece_bytes(piece: str | list[int]) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(itertools.chain(piece))
