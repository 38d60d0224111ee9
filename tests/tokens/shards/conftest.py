"""A small tokenizer, and a corpus's documents in several parts."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.tokens.conftest import TEXTS

from tabwright.tokens.training import TokenizerConfig, train_tokenizer

MODULES = ["argparse", "ast", "bisect", "calendar", "cmd", "code", "csv", "dis", "enum", "glob", "heapq", "shlex"]
DOCUMENTS = [Path(sys.modules["argparse"].__file__ or "").with_name(f"{name}.py").read_text() for name in MODULES]
DOCUMENTS += ["x = '<|endoftext|> <|fim_prefix|>'\n", "print('é 漢字 🙂')\n" * 40]


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(TokenizerConfig(vocab_size=1000, languages=("Python",)), TEXTS, folder)
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return plant(tmp_path / "corpus", DOCUMENTS)


def plant(folder: Path, texts: list[str], size: int = 3) -> Path:
    """Write what a corpus's build leaves, as far as it is read here."""
    (folder / "documents").mkdir(parents=True)
    for number, at in enumerate(range(0, len(texts), size)):
        part = texts[at : at + size]
        names = [f"d{at + place}.py" for place in range(len(part))]
        languages = ["Python" if place % 2 else "Brainfuck" for place in range(len(part))]
        columns = {"text": part, "path": names, "repository": ["r"] * len(part), "language": languages}
        pq.write_table(pa.table(columns), folder / "documents" / f"{number:06}.parquet")
    (folder / "report.json").write_text("{}")
    return folder
