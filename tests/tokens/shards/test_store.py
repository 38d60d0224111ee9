"""What shards.json says is looked at when shards are opened, before anything relies on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.tokens.shards.conftest import DOCUMENTS, plant

from tabwright.tokens.shards.config import ShardsConfig
from tabwright.tokens.shards.encoding import encode_corpus
from tabwright.tokens.shards.store import Shards, ShardsError

HARMS: dict[str, Callable[[Any], object]] = {
    "n_documents is 15, and 14 in all shards": lambda found: found.update(n_documents=found["n_documents"] + 1),
    "n_tokens is 1, and": lambda found: found.update(n_tokens=1),
    "n_tokens of it is '7'": lambda found: found.update(n_tokens="7"),
    "n_documents of it is True": lambda found: found.update(n_documents=True),
    "tokenizer of it is None": lambda found: found.pop("tokenizer"),
    "tokens are not": lambda found: found.update(dtype="uint32"),
    "dtype is 'U8'": lambda found: found.update(dtype="U8"),
    "dtype of it is 2": lambda found: found.update(dtype=2),
    "shards of it is {}": lambda found: found.update(shards={}),
    "shard 1 is None": lambda found: found["shards"].__setitem__(1, None),
    "n_documents of shard 1 is None": lambda found: found["shards"][1].pop("n_documents"),
    "n_documents of shard 0 is -3": lambda found: found["shards"][0].update(n_documents=-3),
    "source of shard 2 is None": lambda found: found["shards"][2].pop("source"),
    "tokens of shard 2 is None": lambda found: found["shards"][2].pop("tokens"),
    "sha256 of documents of shard 0 is None": lambda found: found["shards"][0]["documents"].pop("sha256"),
    "size_bytes of tokens of shard 0 is 1.5": lambda found: found["shards"][0]["tokens"].update(size_bytes=1.5),
}


@pytest.fixture(scope="module")
def written(tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    encode_corpus(ShardsConfig(), tokenizer, [plant(folder / "corpus", DOCUMENTS)], folder / "shards")
    return folder / "shards"


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    for path in written.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "shards.json").unlink()
    return tmp_path


@pytest.mark.parametrize("message", HARMS)
def test_a_damaged_shards_json_is_told_at_once(written: Path, folder: Path, message: str) -> None:
    found = json.loads((written / "shards.json").read_text())
    HARMS[message](found)
    (folder / "shards.json").write_text(json.dumps(found))
    with pytest.raises(ShardsError) as error:
        Shards(folder)
    assert f"{folder / 'shards.json'}: damaged (" in str(error.value)
    assert message in str(error.value)
    assert str(error.value).endswith("; remove the folder and run `tabwright tokens encode` again")


@pytest.mark.parametrize("text", ["{", "[]", "7", "[" * 100_000, "\x00"])
def test_what_is_no_description_is_told(folder: Path, text: str) -> None:
    (folder / "shards.json").write_text(text)
    with pytest.raises(ShardsError, match=r"shards.json: damaged"):
        Shards(folder)


def test_places_of_more_or_fewer_documents_are_told(written: Path, folder: Path) -> None:
    found = json.loads((written / "shards.json").read_text())
    found["shards"][0]["n_documents"] += 1
    found["shards"][1]["n_documents"] -= 1
    (folder / "shards.json").write_text(json.dumps(found))
    shards = Shards(folder)
    for number in (3, 4):
        with pytest.raises(ShardsError, match=rf"00000{number - 3}.documents.npy: damaged, it is not of as many"):
            shards.document(number)
    with pytest.raises(ShardsError, match="damaged"):
        shards.lengths.sum()
