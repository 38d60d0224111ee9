"""Shards -> batches: windows over shuffled documents, corpora mixed by weights, infilling; each made of its number.

In every epoch a corpus's documents stand in a new order, one after another, and windows of that stream in another order
are the epoch. Both orders are drawn from the seed, the corpus and the epoch; what is drawn within a window, from these
and its document. So any batch is found at once, and nothing of those before it needs to be known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tabwright.tokens.shards.config import BatchesConfig
from tabwright.tokens.shards.encoder import Encoder
from tabwright.tokens.shards.infilling import Infiller, Mask
from tabwright.tokens.shards.store import Shards, ShardsError, Tokens

_TURNS = 1000  # so many windows keep the weights exactly
_ORDERS = 4  # of epochs that are kept: rows of a batch may stand on both sides of an epoch's end


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of windows.

    Attributes:
        ids_BT: uint32, (rows, length + 1).
        learned_BT: True for tokens that a model is to foretell; not for headers and infill marks.
        documents_BT: int64, the number of the document that each token is of, in its corpus.
        corpora_B: the number of each row's corpus.
    """

    ids_BT: npt.NDArray[np.uint32]
    learned_BT: Mask
    documents_BT: npt.NDArray[np.int64]
    corpora_B: npt.NDArray[np.int64]


class Batches:
    """All batches of some corpora, by their numbers, without end.

    Args:
        corpora: encoded by the same tokenizer.
        config: how they are drawn.
        encoder: that tokenizer.

    Raises:
        ShardsError: it is another tokenizer, a corpus is shorter than a window, or the weights are not as many as the
            corpora.
    """

    def __init__(self, corpora: Sequence[Shards], config: BatchesConfig, encoder: Encoder) -> None:
        for shards in corpora:
            if shards.tokenizer != encoder.identity:
                raise ShardsError(f"{shards.folder}: encoded by another tokenizer than {encoder.folder}; use its own")
            if shards.n_tokens <= config.length:
                raise ShardsError(
                    f"{shards.folder}: has {shards.n_tokens} tokens, fewer than a window of {config.length + 1}; "
                    "set a smaller length, or add documents"
                )
        weights = config.weights or tuple(shards.n_tokens for shards in corpora)
        if len(weights) != len(corpora):
            raise ShardsError(f"weights: got {len(weights)}, but there are {len(corpora)} corpora; give each one")
        self._config = config
        self._turns = _turns(np.array(weights, np.float64), config.seed)
        infiller = Infiller(config.infilling, encoder)
        self._corpora = [_Corpus(number, shards, config, infiller) for number, shards in enumerate(corpora)]

    def at(self, step: int) -> Batch:
        """Return a batch: that of a training's step, counted from 0.

        Raises:
            ShardsError: a shard that it reads is damaged.
        """
        drawn = [self._draw(step * self._config.rows + row) for row in range(self._config.rows)]
        return Batch(
            np.stack([ids for _, (ids, _, _) in drawn]),
            np.stack([learned for _, (_, learned, _) in drawn]),
            np.stack([documents for _, (_, _, documents) in drawn]),
            np.array([corpus for corpus, _ in drawn]),
        )

    def _draw(self, number: int) -> tuple[int, _Window]:
        """Return a window of the stream of all windows."""
        turn, place = divmod(number, _TURNS)
        corpus = int(self._turns[place])
        own = np.flatnonzero(self._turns == corpus)
        return corpus, self._corpora[corpus].window(turn * len(own) + int(np.searchsorted(own, place)))


_Window = tuple[npt.NDArray[np.uint32], Mask, npt.NDArray[np.int64]]


class _Corpus:
    """One corpus's windows, by number, epoch after epoch."""

    def __init__(self, number: int, shards: Shards, config: BatchesConfig, infiller: Infiller) -> None:
        self._number, self._shards, self._config, self._infiller = number, shards, config, infiller
        self._n_windows = (shards.n_tokens - 1) // config.length
        self._orders: dict[int, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]] = {}

    def window(self, number: int) -> _Window:
        epoch, place = divmod(number, self._n_windows)
        windows, documents, ends = self._order(epoch)
        wanted = self._config.length + 1
        start = int(windows[place]) * self._config.length
        ids, learned, owners = [], [], []
        for document, begin, end in _slices(documents, ends, start, start + wanted):
            part, its = self._part(document, begin, end, epoch, start)
            ids.append(part)
            learned.append(its)
            owners.append(np.full(len(part), document))
        return (
            np.concatenate(ids)[:wanted].astype(np.uint32),
            np.concatenate(learned)[:wanted],
            np.concatenate(owners)[:wanted],
        )

    def _part(self, document: int, begin: int, end: int, epoch: int, start: int) -> tuple[Tokens, Mask]:
        """Return what a window holds of a document, and which of it is learned."""
        whole, n_header = self._shards.document(document)
        by_document = self._config.infilling.level == "document"
        first, last = (0, len(whole)) if by_document else (begin, end)
        part = whole[first:last]
        n_header = max(0, n_header - first)
        body = part[n_header : -1 if last == len(whole) else None]
        seed = [self._config.seed, 1, self._number, epoch, document, 0 if by_document else start]
        new = self._infiller.rearrange(body, np.random.default_rng(seed))
        learned = np.ones(len(part), np.bool_)
        learned[:n_header] = False
        if new is not None:
            part = np.concatenate([part[:n_header], new.ids, part[n_header + len(body) :]])
            learned = np.concatenate([learned[:n_header], new.learned, learned[n_header + len(body) :]])
        if by_document:  # it has grown: the last of its windows takes what is more
            kept = slice(begin, None if end == len(whole) else end)
            part, learned = part[kept], learned[kept]
        return part, learned

    def _order(self, epoch: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return an epoch's windows and documents in their orders, and where each document ends in the stream."""
        if epoch not in self._orders:
            dice = np.random.default_rng([self._config.seed, 0, self._number, epoch])
            documents = dice.permutation(self._shards.n_documents)
            ends = np.cumsum(self._shards.lengths[documents])
            self._orders[epoch] = (dice.permutation(self._n_windows), documents, ends)
            for old in sorted(self._orders)[:-_ORDERS]:
                del self._orders[old]
        return self._orders[epoch]


def _slices(
    documents: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], start: int, stop: int
) -> Iterator[tuple[int, int, int]]:
    """Yield the documents between two places of the stream: number, and which of its tokens."""
    at = int(np.searchsorted(ends, start, "right"))
    begin = int(ends[at - 1]) if at else 0
    while begin < stop:
        end = int(ends[at])
        if end > begin:
            yield int(documents[at]), max(start - begin, 0), min(stop, end) - begin
        begin, at = end, at + 1


def _turns(weights: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.int64]:
    """Return the corpus of each of `_TURNS` windows: as many of each as its weight says, in an order by chance.

    Raises:
        ShardsError: a weight is so small that it would have none.
    """
    shares = weights / weights.sum() * _TURNS
    counts = np.floor(shares).astype(np.int64)
    for corpus in np.argsort(counts - shares, kind="stable")[: _TURNS - int(counts.sum())]:
        counts[corpus] += 1
    if not counts.all():
        raise ShardsError(
            f"weights: corpus {int(counts.argmin())} has less than 1/{_TURNS} of all; give it more weight"
        )
    return np.random.default_rng([seed, 2]).permutation(np.repeat(np.arange(len(weights)), counts))
