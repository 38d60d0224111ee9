"""Files planted in folders, and what a build makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tabwright.corpus import CorpusConfig
from tabwright.corpus.build import build_corpus
from tabwright.corpus.report import Report
from tabwright.records import Problem

MIT = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software, to deal in it "
    "without restriction, provided that the above copyright notice and this permission notice stand in all copies."
)
ALL_RULES = (
    "readable", "size", "language", "licence", "generated", "lines", "characters", "python", "private", "contamination",
)  # fmt: skip


def function(name: str, n_lines: int = 12) -> str:
    """Return a Python function that no other name's resembles."""
    words = [f"{name}_{at}" for at in range(n_lines)]
    body = "".join(f"    {word} = {at} + len('{word}') * {name}_total\n" for at, word in enumerate(words))
    return f'def {name}({name}_total):\n    """Add {name} up."""\n{body}    return {" + ".join(words)}\n'


class Built:
    """What a build left: documents and dropped files by path."""

    def __init__(self, folder: Path, report: Report) -> None:
        self.folder, self.report = folder, report
        tables = [pq.read_table(path) for path in sorted((folder / "documents").glob("*.parquet"))]
        self.documents = {row["path"]: row for table in tables for row in table.to_pylist()}
        lists = [pq.read_table(path) for path in sorted((folder / "dropped").glob("*.parquet"))]
        self.dropped = {row["path"]: (row["rule"], row["reason"]) for table in lists for row in table.to_pylist()}


Build = Callable[..., Built]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Return what plants files in a folder, with an MIT licence, and builds a corpus of it."""

    def run(files: dict[str, str | bytes], problems: list[Problem] | None = None, **settings: object) -> Built:
        source, folder = tmp_path / "source", tmp_path / "corpus"
        for name, content in {"LICENSE": MIT, **files}.items():
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        config = CorpusConfig(**{"rules": ALL_RULES, **settings})  # type: ignore[arg-type]
        return Built(folder, build_corpus(config, [str(source)], folder, problems=problems or []))

    return run
