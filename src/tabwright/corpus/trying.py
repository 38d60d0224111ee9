"""One rule and one file -> what the rule does to it, in words and as a diff."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from tabwright.corpus.batch import SourceFile, table_of, texts, values
from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.passes.sieve import Sieve
from tabwright.corpus.rules import Signs, make_rules, signs_of
from tabwright.records import Problem

# Larger files are no source code that anybody wrote.
_MOST_BYTES = 1 << 26


def try_rule(name: str, file: Path, config: CorpusConfig, problems: Sequence[Problem]) -> str:
    """Return what a rule does to a file; what rules of languages need is found out first.

    Raises:
        CorpusError: the rule is unknown, or the file cannot be read.
    """
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise CorpusError(f"{file}: cannot be read: {error.strerror or error}") from None
    if len(text) > _MOST_BYTES:
        raise CorpusError(f"{file}: has more than {_MOST_BYTES} bytes; name a source file")
    rule = make_rules(replace(config, rules=(name,)), signs_of(problems, config.contamination_words))
    before = table_of([SourceFile(repository="", path=file.name, text=text)])
    if name != "language":
        named = _through(Sieve(make_rules(replace(config, rules=("language",), languages=()), Signs())), before)
        if len(named):
            before = before.set_column(before.schema.get_field_index("language"), "language", named.column("language"))
    sieve = Sieve(rule)
    kept = _through(sieve, before)
    if len(sieve.dropped):
        return f"dropped: {values(sieve.dropped, 'reason')[0]}"
    if changes := kept.column("changes").to_pylist()[0]:
        old, new = (part.decode(errors="replace").splitlines() for part in (text, texts(kept)[0].tobytes()))
        diff = difflib.unified_diff(old, new, "before", "after", lineterm="")
        return "\n".join([f"changed: {', '.join(changes)}", *diff])
    found = [f"{fact} {values(kept, fact)[0]}" for fact in ("language", "licence") if values(kept, fact)[0]]
    return ", ".join(["kept", *found])


def _through(sieve: Sieve, table: pa.Table) -> pa.Table:
    return pa.concat_tables(sieve.sift([table]))
