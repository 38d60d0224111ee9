"""A model for scripts: loaded in one line, asked in the next, and no event loop to think of."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, get_args

from tabwright.sampling.engine import (
    ChatPrompt,
    EngineError,
    InfillOrder,
    InfillPrompt,
    Message,
    ModelCard,
    Prompt,
    PromptError,
    SamplingOptions,
    TextPrompt,
)
from tabwright.sampling.torch_engine.beam import Beam
from tabwright.sampling.torch_engine.engine import TorchConfig, TorchEngine

_T = TypeVar("_T")


class Model:
    """A model that the torch engine runs in this process; a context manager, or `close` it.

    Args:
        config: what to load and how.

    Raises:
        EngineError: the files cannot be used.
    """

    def __init__(self, config: TorchConfig) -> None:
        # A loop of its own, in a thread of its own: callers may be in a loop already, as in a notebook, or in threads.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tabwright model", daemon=True)
        self._thread.start()
        try:
            self._engine = self._run(TorchEngine.start(config))
        except BaseException:
            self._stop()
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
        if order not in get_args(InfillOrder):
            raise PromptError(f"order: got {order!r}; known are {', '.join(get_args(InfillOrder))}")
        if suffix is None:
            return self._text(TextPrompt(text=prefix), options)
        return self._text(InfillPrompt(prefix=prefix, suffix=suffix, order=order), options)

    def chat(self, messages: str | Sequence[Message], **options: Any) -> str:
        """Return the answer to a question, or to a conversation; `options` as in `complete`."""
        asked = (Message(role="user", content=messages),) if isinstance(messages, str) else tuple(messages)
        return self._text(ChatPrompt(messages=asked), options)

    def search(self, text: str, *, width: int, max_tokens: int = 128, **options: Any) -> list[tuple[str, Beam]]:
        """Return the best continuations of a text, best first; see `beam_search`."""
        return self._run(self._engine.search(text, width=width, max_tokens=max_tokens, **options))

    def close(self) -> None:
        """Free the model's memory."""
        if self._thread.is_alive():
            self._run(self._engine.close())
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _text(self, prompt: Prompt, options: dict[str, Any]) -> str:
        if options.get("n", 1) != 1:
            raise PromptError(f"n: got {options['n']}; one text is returned, so ask as often, with a seed for each")
        if isinstance(stop := options.get("stop"), str):
            options = options | {"stop": (stop,)}

        async def run() -> str:
            return "".join([chunk.text async for chunk in self._engine.generate(prompt, SamplingOptions(**options))])

        return self._run(run())

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        if not self._thread.is_alive():
            work.close()
            raise EngineError("the model is closed; load it again")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C too ends what was asked
            future.cancel()
            raise

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
