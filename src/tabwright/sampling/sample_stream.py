"""Streams: a server's events as they come, and one sample's raw text and tokens in, what may be shown out.

The spelt-again beginning and everything from a stop string on are cut, and tokens are reported when their text is.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from tabwright.sampling.blocks import BlockMatcher
from tabwright.sampling.engine import Chunk, SamplingOptions, Token, Usage
from tabwright.sampling.healing import Respelling
from tabwright.sampling.stops import StopMatcher


class SampleStream:
    """State of one sample while it is being decoded."""

    def __init__(self, respell: str, options: SamplingOptions, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._n_new = 0
        self._respelling = Respelling(respell)
        self._block = BlockMatcher(options.block)
        self._stops = StopMatcher(options.stop)
        self._waiting: deque[tuple[int, Token]] = deque()
        self._n_read = self._n_shown = -len(respell)
        self.n_tokens = 0
        self.ended = False

    @property
    def respelt(self) -> bool:
        """Whether the spelt-again beginning is over."""
        return self._respelling.done

    @property
    def stopped(self) -> bool:
        """Whether a stop string or the end of the block was met."""
        return self._stops.stopped or self._block.stopped

    @property
    def over(self) -> bool:
        """Whether nothing more will be shown: a stop string, or all tokens drawn; respelt ones do not count."""
        return self.stopped or self._n_new >= self._max_tokens

    def push(self, text: str, tokens: Sequence[Token]) -> tuple[str, tuple[Token, ...]]:
        """Take the next piece of raw output; return the text and tokens that can be shown now.

        Raises:
            ValueError: the engine does not spell again what it was told to.
        """
        new = self._respelling.push(text)
        if new is None:
            raise ValueError("the engine did not spell the end of the prompt again")
        for token in tokens:
            self._wait(token)
        return self._show(self._stops.push(self._block.push(new)))

    def flush(self) -> tuple[str, tuple[Token, ...]]:
        """Return what was held back, at the end of the sample."""
        return self._show(self._stops.push(self._block.flush()) + self._stops.flush())

    def chunk(
        self, index: int, text: str, tokens: Sequence[Token], end: Literal["", "stop", "length"], usage: Usage
    ) -> Chunk | None:
        """Take the next piece of raw output; return what can be shown now, None where that is nothing.

        Args:
            index: the sample's number.
            text: the piece.
            tokens: its tokens.
            end: why it is the last one.
            usage: of the request; the tokens of the sample are counted here.
        """
        shown, shown_tokens = self.push(text, tokens)
        if not (end or self.over):
            return Chunk(index=index, text=shown, tokens=shown_tokens) if shown else None
        self.ended = True
        last, last_tokens = self.flush()
        return Chunk(
            index=index,
            text=shown + last,
            tokens=shown_tokens + last_tokens,
            finish_reason="length" if not self.stopped and (self.over or end == "length") else "stop",
            usage=replace(usage, completion_tokens=self.n_tokens),
        )

    def _wait(self, token: Token) -> None:
        """Queue a token by the place where its text begins; 0 is the first character of the sample."""
        start, end = self._n_read, self._n_read + len(token.text)
        self._n_read = end
        if end > 0:
            self._n_new += 1
            cut = replace(token, text=token.text[-start:]) if start < 0 else token
            self._waiting.append((max(start, 0), cut))

    def _show(self, text: str) -> tuple[str, tuple[Token, ...]]:
        self._n_shown = max(self._n_shown, 0) + len(text)
        shown = []
        while text and self._waiting and self._waiting[0][0] < self._n_shown:
            shown.append(self._waiting.popleft()[1])
        self.n_tokens += len(shown)
        return text, tuple(shown)


async def server_sent(texts: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON objects of a stream of server-sent events.

    Only a newline ends a line here; other characters that Unicode counts as line ends may stand inside the JSON.
    """
    rest = ""
    async for text in texts:
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            if line.startswith("data:") and line[5:].strip() != "[DONE]":
                yield json.loads(line[5:])
