"""A model for scripts: loaded in one line, asked in the next, and no event loop to think of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from tabwright.sampling.engine import (
    ChatPrompt,
    InfillOrder,
    InfillPrompt,
    Message,
    ModelCard,
    Prompt,
    SamplingOptions,
    TextPrompt,
)
from tabwright.sampling.torch_engine.beam import Beam
from tabwright.sampling.torch_engine.engine import TorchConfig, TorchEngine


class Model:
    """A model that the torch engine runs in this process; a context manager, or `close` it.

    Args:
        config: what to load and how.

    Raises:
        EngineError: the files cannot be used.
    """

    def __init__(self, config: TorchConfig) -> None:
        self._runner = asyncio.Runner()
        try:
            self._engine = self._runner.run(TorchEngine.start(config))
        except BaseException:
            self._runner.close()
            raise

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""
        return self._engine.card

    def complete(self, prefix: str, suffix: str | None = None, *, order: InfillOrder = "psm", **options: Any) -> str:
        """Return what goes on after `prefix`, or stands between it and `suffix`.

        Args:
            prefix: the text before the cursor.
            suffix: the text after it.
            order: in which of the two the model reads them first; see `InfillPrompt`.
            options: fields of `SamplingOptions`; greedy, 128 tokens where nothing is said.

        Raises:
            PromptError: the model cannot be asked so.
        """
        prompt: Prompt = TextPrompt(text=prefix)
        if suffix is not None:
            prompt = InfillPrompt(prefix=prefix, suffix=suffix, order=order)
        return self._text(prompt, SamplingOptions(**options))

    def chat(self, messages: str | Sequence[Message], **options: Any) -> str:
        """Return the answer to a question, or to a conversation; `options` as in `complete`."""
        asked = (Message(role="user", content=messages),) if isinstance(messages, str) else tuple(messages)
        return self._text(ChatPrompt(messages=asked), SamplingOptions(**options))

    def search(self, text: str, *, width: int, max_tokens: int = 128, **options: Any) -> list[tuple[str, Beam]]:
        """Return the best continuations of a text, best first; see `beam_search`."""
        return self._runner.run(self._engine.search(text, width=width, max_tokens=max_tokens, **options))

    def close(self) -> None:
        """Free the model's memory."""
        self._runner.run(self._engine.close())
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _text(self, prompt: Prompt, options: SamplingOptions) -> str:
        async def run() -> str:
            return "".join([chunk.text async for chunk in self._engine.generate(prompt, options)])

        return self._runner.run(run())
