"""Parquet files of any writer: their texts are read, and what cannot be is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.tokens.shards.conftest import DOCUMENTS

from tabwright.tokens.opening import open_tokenizer
from tabwright.tokens.shards.config import ShardsConfig
from tabwright.tokens.shards.encoding import encode_corpus
from tabwright.tokens.shards.store import ShardsError
from tabwright.tokens.tokenizer import decode

TEXTS = DOCUMENTS[-2:]


def write(path: Path, /, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_large_strings_are_texts_too(tokenizer: Path, tmp_path: Path) -> None:
    small = {"text": TEXTS, "path": ["a.py", "b.py"], "repository": ["r", None], "language": ["Python", "Python"]}
    large = {name: pa.array(values, pa.large_string()) for name, values in small.items()}
    config = ShardsConfig(header="repository", language_tags=True)
    expected = encode_corpus(config, tokenizer, [write(tmp_path / "small.parquet", **small)], tmp_path / "small")
    found = encode_corpus(config, tokenizer, [write(tmp_path / "large.parquet", **large)], tmp_path / "large")
    known = open_tokenizer(tokenizer)
    for number, text in enumerate(TEXTS):
        ids, n_header = found.document(number)
        assert decode(known, ids[n_header:-1].tolist()) == text
        assert ids.tolist() == expected.document(number)[0].tolist()


@pytest.mark.parametrize("kind", [pa.binary(), pa.int64(), pa.list_(pa.string())], ids=str)
def test_a_column_of_another_type_is_told_with_its_type(tokenizer: Path, tmp_path: Path, kind: pa.DataType) -> None:
    source = write(tmp_path / "odd.parquet", text=pa.array([None], kind))
    with pytest.raises(ShardsError, match=r"odd.parquet: its column `text` is of type ") as error:
        encode_corpus(ShardsConfig(), tokenizer, [source], tmp_path / "shards")
    assert f"of type {pq.read_schema(source).field('text').type}; write it as string" in str(error.value)


@pytest.mark.parametrize("name", ["text", "path"])
def test_bytes_that_are_not_utf_8_are_told(tokenizer: Path, tmp_path: Path, name: str) -> None:
    bad = pa.array([b"x = 1", b"\xff\xfe"], pa.binary()).view(pa.string())
    source = write(tmp_path / "latin.parquet", **({"text": TEXTS} | {name: bad}))
    with pytest.raises(ShardsError, match=rf"latin.parquet: its column `{name}` holds bytes .* `tabwright corpus"):
        encode_corpus(ShardsConfig(), tokenizer, [source], tmp_path / "shards")
