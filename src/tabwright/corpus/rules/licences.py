"""The rule that keeps what may be used: the licence of each file, by its own words or by its repository's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tabwright.corpus.batch import Rule, drop, put, texts, values
from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.licences import allows, licence_of_header


def licence(config: CorpusConfig) -> Rule:
    """Name each file's licence, by a tag or a binding header in it, else its repository's; drop what is not allowed."""
    allowed = frozenset(name.casefold() for name in config.licences)

    def rule(table: pa.Table) -> pa.Table:
        joined, offsets = texts(table)
        names = [
            licence_of_header(joined[start : min(start + 3000, stop)].tobytes()) or repository
            for start, stop, repository in zip(offsets[:-1], offsets[1:], values(table, "licence"), strict=True)
        ]
        kept_unknown = config.unknown_licence == "keep"
        dropped = np.array([not (allows(name, allowed) if name else kept_unknown) for name in names], dtype=bool)
        reasons = [name or "unknown" for name, out in zip(names, dropped, strict=True) if out]
        return drop(put(table, "licence", pa.array(names, pa.string())), dropped, reasons)

    return rule
