"""Requests in, tokens out: a thread that reads prompts and decodes all samples at work, one token each at a time."""

from __future__ import annotations

import atexit
import codecs
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import torch

from tabwright.sampling.engine import SamplingOptions, Token
from tabwright.sampling.torch_engine.batch import Batch, Row
from tabwright.sampling.torch_engine.choosing import Choice, Chooser
from tabwright.sampling.torch_engine.respelling import Spelling, respellings

End = Literal["", "stop", "length"]


@dataclass(frozen=True, slots=True)
class Piece:
    """The next token of a request's sample `index`; `end` says why it is the last one.

    Attributes:
        n_reused: how many of the prompt's tokens had been read before.
    """

    index: int
    token: Token
    end: End
    n_reused: int


@dataclass(slots=True, eq=False)
class Request:
    """One prompt to go on with.

    Attributes:
        ids: the prompt.
        respell: what the first tokens must spell again.
        options: how tokens are drawn.
        max_tokens: the most new tokens of a sample, those that spell again among them.
        send: takes each piece, and an error in the place of one; called from the scheduler's thread.
        cancelled: set by whoever waits no longer.
        finished: numbers of samples that nobody waits for any more.
    """

    ids: Sequence[int]
    respell: bytes
    options: SamplingOptions
    max_tokens: int
    send: Callable[[Piece | Exception], None]
    cancelled: threading.Event = field(default_factory=threading.Event)
    finished: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class _Sample:
    """A sample at work."""

    request: Request
    index: int
    row: Row
    chooser: Chooser
    utf8: codecs.IncrementalDecoder
    next: int
    n_tokens: int = 0
    over: bool = False


class Scheduler:
    """Runs a batch in a thread of its own.

    Args:
        batch: the decoder's rows.
        pieces: the bytes of each token, by id.
        ends: tokens that end a sample.
    """

    def __init__(self, batch: Batch, pieces: Sequence[bytes], ends: frozenset[int]) -> None:
        self._batch = batch
        self._pieces = pieces
        self._spelling = Spelling(pieces)
        self._ends = ends
        self._waiting: deque[Request] = deque()
        self._reading: tuple[Request, Row] | None = None
        self._samples: list[_Sample] = []
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="torch engine", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # a thread that is in torch when Python ends would take it down

    def submit(self, request: Request) -> None:
        """Take a request; its samples begin when there are rows for all of them."""
        with self._changed:
            if not self._closing:
                self._waiting.append(request)
                self._changed.notify()
                return
        request.send(RuntimeError("the engine was closed"))

    def close(self) -> None:
        """End the thread, once it has made the token at which it is."""
        atexit.unregister(self.close)
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._wait():
            try:
                self._drop_cancelled()
                self._read()
                self._decode()
            except Exception as error:  # whoever waits for an answer gets it
                self._fail(error)
        with self._changed:
            left = list(self._waiting)
        self._fail(RuntimeError("the engine was closed"), left)

    def _wait(self) -> bool:
        with self._changed:
            while not (self._closing or self._waiting or self._reading or self._samples):
                self._changed.wait()
            return not self._closing

    def _read(self) -> None:
        """Read a piece of the prompt that is being read, or begin with the next one."""
        if self._reading is None:
            self._begin_next()
        if self._reading is None:
            return
        request, row = self._reading
        if request.cancelled.is_set():
            self._reading = None
            return
        logits_V = self._batch.read(row)
        if logits_V is None:
            return
        self._reading = None
        try:
            choosers = self._choosers(request, row, logits_V)
        except Exception as error:  # the request's own; no row is at work for it yet
            request.send(error)
            return
        rows = self._batch.join(row, len(choosers) - 1)
        started = [
            _Sample(request, index, its_row, chooser, codecs.getincrementaldecoder("utf-8")("replace"), next=-1)
            for index, (its_row, chooser) in enumerate(zip(rows, choosers, strict=True))
        ]
        self._samples += started
        self._choose(started, [logits_V] * len(started))

    def _choosers(self, request: Request, row: Row, logits_V: torch.Tensor) -> list[Chooser]:
        found = None
        if request.respell:
            found = respellings(request.respell, self._spelling, logits_V, partial(self._batch.look, row))
        return [Chooser(request.options, index, found) for index in range(request.options.n)]

    def _begin_next(self) -> None:
        with self._changed:
            while self._waiting and self._waiting[0].cancelled.is_set():
                self._waiting.popleft()
            if not self._waiting or self._waiting[0].options.n > self._batch.n_free:
                return
            request = self._waiting.popleft()
        self._reading = request, self._batch.begin(request.ids)

    def _decode(self) -> None:
        """Make one more token of each sample."""
        if not self._samples:
            return
        by_row = {id(sample.row): sample for sample in self._samples}
        ordered = [by_row[id(row)] for row in self._batch.active]
        logits = self._batch.step([sample.next for sample in ordered])
        self._choose(ordered, logits)

    def _choose(self, samples: Sequence[_Sample], logits: Iterable[torch.Tensor]) -> None:
        """Choose the next token of each; what cannot be chosen from fails its own request alone."""
        for sample, logits_V in zip(samples, logits, strict=True):
            if sample.request.cancelled.is_set():
                continue
            try:
                self._tell(sample, sample.chooser.choose(logits_V))
            except Exception as error:
                sample.request.cancelled.set()
                sample.request.send(error)
        self._drop_cancelled()

    def _tell(self, sample: _Sample, choice: Choice) -> None:
        sample.n_tokens += 1
        sample.next = choice.token
        end: End = ""
        if choice.token in self._ends:
            end = "stop"
        elif sample.n_tokens >= sample.request.max_tokens:
            end = "length"
        text = "" if end == "stop" else sample.utf8.decode(self._pieces[choice.token], final=bool(end))
        top = tuple((self._pieces[token].decode("utf-8", "replace"), logprob) for token, logprob in choice.top)
        token = Token(text=text, logprob=choice.logprob, top=top)
        sample.over = bool(end)
        sample.request.send(Piece(sample.index, token, end, sample.row.n_reused))

    def _drop_cancelled(self) -> None:
        """End samples for which nobody waits: first, as the next prompt may begin as theirs did."""
        for sample in self._samples:
            sample.over |= sample.request.cancelled.is_set() or sample.index in sample.request.finished
        for sample in [sample for sample in self._samples if sample.over]:
            self._samples.remove(sample)
            self._batch.end(sample.row)

    def _fail(self, error: Exception, waiting: Sequence[Request] = ()) -> None:
        asked = [sample.request for sample in self._samples] + ([self._reading[0]] if self._reading else [])
        asked += waiting
        for row in list(self._batch.active):
            self._batch.end(row)
            row.ids.clear()  # nobody knows what is in it
        if self._reading:
            self._reading[1].ids.clear()
        self._samples, self._reading = [], None
        for request in {id(request): request for request in asked}.values():
            request.send(error)
