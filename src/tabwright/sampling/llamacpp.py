"""The llama.cpp engine: a GGUF file in, an `Engine` out; runs in this process on the CPU.

The `xllamacpp` wheel holds llama.cpp's own server. It is reached over a socket file that only this user can open, so
that waiting for tokens blocks no thread and closing a stream cancels it, during the reading of a prompt too. Prompts
are sent as ids; healing, stop strings and log-probabilities are handled on our side, as for every engine.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import httpx
from filelock import FileLock

from tabwright.sampling.engine import (
    Chunk,
    EngineError,
    Message,
    ModelCard,
    Prompt,
    PromptError,
    PromptStyle,
    SamplingOptions,
    Token,
    Usage,
)
from tabwright.sampling.healing import Vocabulary, grammar
from tabwright.sampling.llamacpp_server import drop, keep_python_signals, load, make_folder
from tabwright.sampling.models.gguf import GGUFFile, read_gguf
from tabwright.sampling.prompts import Piece, RenderedPrompt, Renderer, in_turns, prepare
from tabwright.sampling.sample_stream import SampleStream, server_sent
from tabwright.sampling.slots import SlotBook

_BLANK_LENGTH = 1024
_LONG_BLANK = re.compile(rf"\s{{{_BLANK_LENGTH + 1},}}")


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

    def __init__(self, config: LlamaCppConfig, gguf: GGUFFile, server: Any, folder: Path, lock: FileLock) -> None:
        self._server: Any | None = server
        self._folder = folder
        self._lock = lock
        self._slots = config.slots
        self._book = SlotBook(config.slots)
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
            opening=self._opening,
            begin=gguf.begin,
            special=gguf.template_tokens(),
            infill=self._card.infill,
            vocabulary=Vocabulary(gguf.pieces()),
        )
        self._end = int(gguf.metadata.get("tokenizer.ggml.eos_token_id", 0))
        self._infill_ids = gguf.infill_ids()
        self._infill = re.compile(
            "|".join(map(re.escape, self._infill_ids)).join("()") if self._infill_ids else r"(?!)"
        )
        self._ends_texts = bool(gguf.metadata.get("tokenizer.ggml.add_eos_token", False))
        self._before_text: list[int] | None = None
        # What a text that begins nothing is put behind, so that no space is put before it (SentencePiece models).
        self._lead = "\n" if gguf.adds_space else ""

    @classmethod
    async def start(cls, config: LlamaCppConfig) -> LlamaCppEngine:
        """Load the model.

        Raises:
            EngineError: the file is not a whole GGUF file, or llama.cpp cannot run it.
        """
        gguf = read_gguf(config.path)
        folder, lock = await asyncio.to_thread(make_folder)
        try:
            server = await asyncio.to_thread(
                load,
                config.path,
                folder / "llama.sock",
                architecture=gguf.architecture,
                slots=config.slots,
                context_length=_context_length(config, gguf),
                n_threads=config.n_threads,
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        keep_python_signals()
        return await asyncio.to_thread(cls, config, gguf, server, folder, lock)

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
        rendered, options = await prepare(self._renderer, self._card, prompt, options, self._end)
        for first, part in in_turns(options, self._slots):
            async with aclosing(self._samples(rendered, part, first)) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def close(self) -> None:
        """Stop llama.cpp and free the model's memory."""
        await self._client.aclose()
        server, self._server = self._server, None
        await asyncio.to_thread(drop, [server])
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()

    async def _samples(
        self, rendered: RenderedPrompt, options: SamplingOptions, first: int
    ) -> AsyncGenerator[Chunk, None]:
        """Decode at most `slots` samples at once; sample numbers begin at `first`."""
        streams = [SampleStream(rendered.respell, options, options.max_tokens) for _ in range(options.n)]
        again = []
        with self._book.slot_for(rendered.ids) if options.n == 1 else self._book.spread() as slot:
            request = _request(rendered, options, slot, is_first=first == 0)
            async with aclosing(self._events(request)) as events:
                async for event in events:
                    index, stream = event["index"], streams[event["index"]]
                    if stream.over:
                        continue
                    chunk = _advance(event, stream, first + index)
                    if event["stop"] and event.get("stop_type") == "word" and not stream.respelt:
                        again.append(index)
                    elif chunk is not None:
                        yield chunk
                    if all(stream.over for stream in streams):
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

    async def _tokenize(self, text: str, *, special: bool = False, begins: bool = False) -> list[Piece]:
        # Some files call infill tokens ordinary ones, and llama.cpp then does not find them in a text.
        named = re.split(self._infill, text) if special else [text]
        pieces: list[Piece] = []
        for at, part in enumerate(named):
            if part in self._infill_ids and special:
                pieces.append((self._infill_ids[part], b""))
            else:
                pieces += await self._tokenize_unnamed(part, special, begins and at == 0)
        return pieces

    async def _tokenize_unnamed(self, text: str, special: bool, begins: bool) -> list[Piece]:
        pieces: list[Piece] = []
        for at, part in enumerate(_without_long_blanks(text)):
            if part:
                lead = "" if begins and at == 0 else self._lead
                found = _after(await self._pieces(lead + part, special), lead)
                pieces += found or await self._pieces(part, special)
        return pieces

    async def _pieces(self, text: str, special: bool) -> list[Piece]:
        body = {"content": text, "add_special": False, "parse_special": special, "with_pieces": True}
        answer = await self._ask("/tokenize", body)
        return [(token["id"], _piece_bytes(token["piece"])) for token in answer["tokens"]]

    async def _opening(self) -> list[int]:
        if self._before_text is None:
            answer = await self._ask("/tokenize", {"content": "", "add_special": True})
            self._before_text = list(answer["tokens"][: -1 if self._ends_texts else None])
        return self._before_text

    async def _apply_template(self, messages: Sequence[Message]) -> str:
        rows = [{"role": message.role, "content": message.content} for message in messages]
        answer = await self._ask("/apply-template", {"messages": rows})
        return str(answer["prompt"])


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
        prompt_style=config.prompt_style or ("shown-fence" if gguf.has_chat else "completion"),
    )


def _after(pieces: list[Piece], lead: str) -> list[Piece]:
    """Return the tokens after those that spell `lead`, a space before it among them; none where one goes beyond it."""
    spelt = b""
    for at, (_, piece) in enumerate(pieces):
        if spelt.lstrip(b" ") == lead.encode():
            return pieces[at:]
        spelt += piece
    return []


def _request(rendered: RenderedPrompt, options: SamplingOptions, slot: int, *, is_first: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "prompt": rendered.ids,
        "id_slot": slot,
        "stream": True,
        "n_predict": options.max_tokens + len(rendered.respell.encode()),
        "n_probs": max(options.top_logprobs, 1),
        "n_cmpl": options.n,
        "samplers": ["temperature", "top_k", "top_p"] if not options.is_greedy else ["top_k"],
        "temperature": 0.0 if options.is_greedy else options.temperature,
        "top_k": options.top_k if not options.is_greedy else 1,
        "top_p": options.top_p,
        "min_p": 0.0,
        # A cached prompt is read in other batches, whose last bits differ: a seed promises the same text every time.
        "cache_prompt": options.seed is None or not is_first,
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
    usage = Usage(
        prompt_tokens=event.get("tokens_evaluated", 0), cached_tokens=event.get("timings", {}).get("cache_n", 0)
    )
    end: Literal["", "stop", "length"] = ""
    if event["stop"]:
        end = "length" if event.get("stop_type") == "limit" else "stop"
    return stream.chunk(index, event["content"], _tokens(event), end, usage)


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


def _without_long_blanks(text: str) -> list[str]:
    """Cut a text inside its longest runs of white space, which llama.cpp tokenises in quadratic time."""
    cuts = [
        cut
        for run in _LONG_BLANK.finditer(text)
        for cut in range(run.start() + _BLANK_LENGTH, run.end(), _BLANK_LENGTH)
    ]
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def _piece_bytes(piece: str | list[int]) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(itertools.chain(piece))
