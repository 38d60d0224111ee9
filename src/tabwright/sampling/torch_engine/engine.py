"""The torch engine: a model's folder in, an `Engine` out, with the promises that every engine makes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import torch

from tabwright.model import ConfigError, WeightsError
from tabwright.model.checkpoint import Checkpoint, open_checkpoint
from tabwright.model.decoder import Decoder
from tabwright.model.quantised import Bits, quantising
from tabwright.sampling.engine import (
    Chunk,
    EngineError,
    InfillTokens,
    Message,
    ModelCard,
    Prompt,
    PromptError,
    PromptStyle,
    SamplingOptions,
    Usage,
)
from tabwright.sampling.healing import Vocabulary
from tabwright.sampling.prompts import Piece as TokenPiece
from tabwright.sampling.prompts import RenderedPrompt, Renderer, check_length, in_turns, prepare
from tabwright.sampling.sample_stream import SampleStream
from tabwright.sampling.torch_engine.batch import Batch
from tabwright.sampling.torch_engine.beam import Beam, beam_search
from tabwright.sampling.torch_engine.scheduler import Piece, Request, Scheduler
from tabwright.sampling.torch_engine.templates import render_chat
from tabwright.tokens import Tokenizer, TokenizerError
from tabwright.tokens.infill import infill_format
from tabwright.tokens.opening import open_tokenizer


@dataclass(frozen=True, kw_only=True, slots=True)
class TorchConfig:
    """How to run a model.

    Attributes:
        path: its folder, GGUF file or state dict, in any layout that `open_checkpoint` knows.
        name: what it is called; the folder's name where empty.
        licence: what is known of it.
        prompt_style: how it is asked best; None where nobody has measured it.
        slots: how many samples are decoded at once.
        context_length: tokens for each slot, capped at what the model has.
        bits: 8 or 4 for weights that are quantised when they are loaded; 0 keeps them whole.
        device: `cpu`, `cuda:0`.
        n_threads: of a CPU; all cores where None.
    """

    path: Path
    name: str = ""
    licence: str = ""
    prompt_style: PromptStyle | None = None
    slots: int = 4
    context_length: int = 4096
    bits: int = 0
    device: str = "cpu"
    n_threads: int | None = None

    @property
    def dtype(self) -> torch.dtype:
        """What is computed in: fp32 where whole weights meet a CPU, bfloat16 elsewhere."""
        return torch.float32 if torch.device(self.device).type == "cpu" and not self.bits else torch.bfloat16

    def check(self) -> None:
        """Check what a person may say wrongly.

        Raises:
            EngineError: a number is out of range, or the device is none.
        """
        if self.bits not in (0, *get_args(Bits)):
            raise EngineError(f"quantize: got {self.bits!r}; give 4 or 8, or 0 for whole weights")
        if self.slots < 1:
            raise EngineError(f"slots: got {self.slots}, must be at least 1")
        try:
            kind = torch.device(self.device).type
        except RuntimeError:
            kind = ""
        if kind not in ("cpu", "cuda", "mps"):
            raise EngineError(f"device: got {self.device!r}; give cpu, cuda or cuda:0")


class TorchEngine:
    """Runs one model with torch. Make it with `start`, end it with `close`; it belongs to one event loop."""

    def __init__(self, config: TorchConfig, checkpoint: Checkpoint, decoder: Decoder, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = decoder
        self._slots = config.slots
        self._pieces = [tokenizer.piece(token) for token in range(tokenizer.vocab_size)]
        # Rows of the embedding beyond the tokenizer's tokens are padding.
        n_rows = decoder.config.vocab_size
        self._pieces = self._pieces[:n_rows] + [b""] * (n_rows - len(self._pieces))
        self._card = _card(config, checkpoint, tokenizer)
        self._renderer = Renderer(
            tokenize=self._tokenize,
            template=self._apply_template,
            opening=self._opening,
            begin=self._name(tokenizer.opening[-1:]),
            special=tokenizer.special,
            infill=self._card.infill,
            vocabulary=Vocabulary(self._pieces),
        )
        # Where nothing stands before a text, and there is none, the end of the text before it stands for it.
        self._end = min(tokenizer.eos_ids, default=0)
        self._scheduler = Scheduler(Batch(decoder, config.slots), self._pieces, tokenizer.eos_ids)

    @classmethod
    async def start(cls, config: TorchConfig) -> TorchEngine:
        """Load the model.

        Raises:
            EngineError: the files cannot be used, or there is no such device.
        """
        return await asyncio.to_thread(cls._load, config)

    @classmethod
    def _load(cls, config: TorchConfig) -> TorchEngine:
        config.check()
        if config.n_threads:
            torch.set_num_threads(config.n_threads)
        try:
            checkpoint = open_checkpoint(config.path)
            tokenizer = open_tokenizer(config.path)
            place = quantising(cast(Bits, config.bits), config.dtype, config.device) if config.bits else None
            decoder = checkpoint.load(dtype=config.dtype, device=config.device, place=place)
        except (ConfigError, WeightsError, TokenizerError) as error:
            raise EngineError(str(error)) from None
        except (RuntimeError, AssertionError, ValueError) as error:  # torch's words for a device that is not there
            raise EngineError(f"{config.path}: cannot be run on {config.device}: {error}") from None
        return cls(config, checkpoint, decoder, tokenizer)

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

    async def search(
        self, text: str, *, width: int, max_tokens: int, length_penalty: float = 1.0, n_best: int = 1
    ) -> list[tuple[str, Beam]]:
        """Return the best continuations of a text with their texts, best first; see `beam_search`.

        Raises:
            PromptError: the text is too long.
        """
        check_length(max_tokens, self._card.context_length)
        pieces = await self._tokenize(text, begins=True)
        ids = [*self._tokenizer.opening, *(token for token, _ in pieces)] or [self._end]
        room = self._card.context_length - max_tokens
        if len(ids) > room:
            raise PromptError(f"the prompt has {len(ids)} tokens, but only {room} fit beside max_tokens; shorten it")
        beams = await asyncio.to_thread(
            beam_search,
            self._decoder,
            ids,
            width=width,
            max_tokens=max_tokens,
            ends=self._tokenizer.eos_ids,
            length_penalty=length_penalty,
            n_best=n_best,
        )
        joined = (b"".join(self._pieces[token] for token in beam.ids) for beam in beams)
        return [(data.decode("utf-8", "replace"), beam) for data, beam in zip(joined, beams, strict=True)]

    async def close(self) -> None:
        """Free the model's memory."""
        await asyncio.to_thread(self._scheduler.close)
        self._decoder.to("meta")

    async def _samples(
        self, rendered: RenderedPrompt, options: SamplingOptions, first: int
    ) -> AsyncGenerator[Chunk, None]:
        """Decode at most `slots` samples at once; sample numbers begin at `first`."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Piece | Exception] = asyncio.Queue()

        def send(piece: Piece | Exception) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
                loop.call_soon_threadsafe(pieces.put_nowait, piece)

        request = Request(
            ids=rendered.ids,
            respell=rendered.respell.encode(),
            options=options,
            max_tokens=self._card.context_length - len(rendered.ids),
            send=send,
        )
        streams = [SampleStream(rendered.respell, options, options.max_tokens) for _ in range(options.n)]
        self._scheduler.submit(request)
        try:
            while not all(stream.over or stream.ended for stream in streams):
                piece = await pieces.get()
                if isinstance(piece, Exception):
                    raise EngineError(f"torch: {piece}") from piece
                stream = streams[piece.index]
                if stream.over or stream.ended:
                    continue
                usage = Usage(prompt_tokens=len(rendered.ids), cached_tokens=piece.n_reused)
                tokens = (piece.token,) if piece.end != "stop" else ()
                chunk = stream.chunk(first + piece.index, piece.token.text, tokens, piece.end, usage)
                if stream.over or stream.ended:
                    request.finished.add(piece.index)
                if chunk is not None:
                    yield chunk
        finally:
            request.cancelled.set()

    async def _tokenize(self, text: str, *, special: bool = False, begins: bool = False) -> list[TokenPiece]:
        ids = self._tokenizer.encode(text, special=special, begins=begins)
        beyond = next((token for token in ids if token >= len(self._pieces)), None)
        if beyond is not None:
            raise PromptError(
                f"the tokenizer gives token {beyond}, and the model has {len(self._pieces)}: they are of two models"
            )
        return [(token, self._pieces[token]) for token in ids]

    def _name(self, tokens: Sequence[int]) -> str:
        names = {token: text for text, token in self._tokenizer.special.items()}
        return "".join(names.get(token, "") for token in tokens)

    async def _opening(self) -> list[int]:
        return list(self._tokenizer.opening)

    async def _apply_template(self, messages: Sequence[Message]) -> str:
        bos = self._name(self._tokenizer.opening)
        eos = next(filter(None, (self._name([token]) for token in sorted(self._tokenizer.eos_ids))), "")
        text = render_chat(self._tokenizer.chat_template, messages, bos=bos, eos=eos)
        return text.removeprefix(bos)  # it is put before every prompt


def _card(config: TorchConfig, checkpoint: Checkpoint, tokenizer: Tokenizer) -> ModelCard:
    infill = infill_format(tokenizer.special)
    bare: PromptStyle = "tagged" if checkpoint.family and checkpoint.family.tagged else "completion"
    kept = str(config.dtype).removeprefix("torch.")
    return ModelCard(
        name=config.name or config.path.resolve().name,
        engine="torch",
        context_length=min(config.context_length, checkpoint.config.context_length),
        architecture=checkpoint.family.model_type if checkpoint.family else "unknown",
        n_parameters=checkpoint.config.n_parameters,
        quantisation=f"INT{config.bits}" if config.bits else kept,
        infill=InfillTokens(**infill) if infill else None,
        licence=config.licence or "unknown",
        has_chat=bool(tokenizer.chat_template),
        prompt_style=config.prompt_style or ("shown-fence" if tokenizer.chat_template else bare),
    )
