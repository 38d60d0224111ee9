"""Batches as coloured text: where tokens and documents begin, and what a model is not asked to foretell."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from tabwright.tokens import Tokenizer
    from tabwright.tokens.shards.drawing import Batch
    from tabwright.tokens.shards.store import Shards

_SHADES = ("on #1f3a4d", "on #3d3556")
_SPECIAL, _GIVEN = "bold black on #e0a030", "dim"
_SHOWN = {"\n": "↵\n", "\t": "→\t"}


def print_batch(batch: Batch, corpora: Sequence[Shards], tokenizer: Tokenizer) -> None:
    """Print each row of a batch, its documents under lines with their sources."""
    console = Console(highlight=False)
    legend = Text.assemble("tokens in turns ", ("of two", _SHADES[0]), (" shades", _SHADES[1]), "; ")
    legend.append("special", _SPECIAL).append("; given and not learned: ").append("«dim»", _GIVEN)
    console.print(legend)
    names = {token: text for text, token in tokenizer.special.items()}
    for row, corpus in enumerate(batch.corpora_B.tolist()):
        shards = corpora[corpus]
        learned = batch.learned_BT[row]
        console.rule(f"row {row}: {len(learned)} tokens, {int(learned.sum())} learned, of {shards.folder.name}")
        tokens = zip(batch.ids_BT[row].tolist(), learned.tolist(), batch.documents_BT[row].tolist(), strict=True)
        for document, its in groupby(tokens, key=lambda token: token[2]):
            console.print(Text(f"── document {document}: {shards.source(document)}", "cyan"))
            console.print(_coloured([(token, known) for token, known, _ in its], tokenizer, names))


def _coloured(tokens: Sequence[tuple[int, bool]], tokenizer: Tokenizer, names: dict[int, str]) -> Text:
    text = Text()
    utf8 = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    number = 0
    for learned, group in groupby(tokens, key=lambda token: token[1]):
        text.append("" if learned else "«", _GIVEN)
        for token, _ in group:
            if token in names:
                text.append(_plain(utf8.decode(b"", final=True)))
                text.append(names[token], _SPECIAL)
            else:
                style = _SHADES[number % 2]
                text.append(_plain(utf8.decode(tokenizer.piece(token))), style if learned else f"{style} {_GIVEN}")
            number += 1
        text.append("" if learned else "»", _GIVEN)
    return text.append(_plain(utf8.decode(b"", final=True)))


def _plain(text: str) -> str:
    """Return text with signs for line ends and tabs, and escapes for what a terminal would obey."""
    return "".join(_SHOWN.get(c, c if c.isprintable() else c.encode("unicode_escape").decode()) for c in text)
