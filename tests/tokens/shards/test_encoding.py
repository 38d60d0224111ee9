"""Corpora into shards: nothing is lost, nothing half-written is read, and what is wrong is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from tests.tokens.conftest import TEXTS
from tests.tokens.shards.conftest import DOCUMENTS, plant

from tabwright.tokens.opening import open_tokenizer
from tabwright.tokens.shards.config import ShardsConfig
from tabwright.tokens.shards.encoding import encode_corpus
from tabwright.tokens.shards.store import Shards, ShardsError
from tabwright.tokens.tokenizer import decode
from tabwright.tokens.training import TokenizerConfig, language_token, train_tokenizer


def contents(folder: Path) -> dict[str, bytes]:
    names = (path for path in folder.rglob("*") if path.is_file() and path.name != "made-of.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in names}


def encode_command(tokenizer: Path, corpus: Path, folder: Path) -> list[str]:
    options = ["--tokenizer", str(tokenizer), "--to", str(folder), "--from", str(corpus)]
    return [sys.executable, "-m", "tabwright", "tokens", "encode", *options]


def test_documents_come_back(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    shards = encode_corpus(ShardsConfig(), tokenizer, [corpus], tmp_path / "shards")
    known = open_tokenizer(tokenizer)
    assert (shards.n_documents, shards.n_tokens) == (len(DOCUMENTS), int(shards.lengths.sum()))
    for number, text in enumerate(DOCUMENTS):
        ids, n_header = shards.document(number)
        assert (ids.dtype.name, n_header, ids[-1] in known.eos_ids) == ("uint16", 0, True)
        assert decode(known, ids[:-1].tolist()) == text
        assert not set(ids[:-1].tolist()) & set(known.special.values())
    assert shards.source(4) == "000001.parquet, row 1"


def test_headers_say_language_repository_and_path(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    config = ShardsConfig(header="repository", language_tags=True)
    shards = encode_corpus(config, tokenizer, [corpus], tmp_path / "shards")
    known = open_tokenizer(tokenizer)
    names = {number: text for text, number in known.special.items()}
    for number, tag in ((0, ""), (1, language_token("Python"))):  # the first one's language has no token
        ids, n_header = shards.document(number)
        header = "".join(names.get(token) or known.piece(token).decode() for token in ids[:n_header].tolist())
        assert header == f"{tag}<|repo_name|>r\n<|file_sep|>d{number}.py\n"
        assert decode(known, ids[n_header:-1].tolist()) == DOCUMENTS[number]


def test_a_run_that_was_killed_goes_on(tokenizer: Path, tmp_path: Path) -> None:
    corpus = plant(tmp_path / "corpus", DOCUMENTS * 40, size=2)
    for number, sent in enumerate((signal.SIGKILL, signal.SIGINT)):
        folder = tmp_path / f"shards{number}"
        process = subprocess.Popen(
            encode_command(tokenizer, corpus, folder), start_new_session=True, stderr=subprocess.DEVNULL
        )
        while len(list((folder / ".done").glob("*.json"))) < 3:
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, sent)
        assert process.wait() != 0
        with pytest.raises(ShardsError, match="no finished shards"):
            Shards(folder)
        (folder / f".000000.documents.npy.{process.pid}.tmp").write_bytes(b"half")
        done = {path: path.stat().st_mtime_ns for path in folder.glob("000000.*")}
        encode_corpus(ShardsConfig(), tokenizer, [corpus], folder)
        assert {path: path.stat().st_mtime_ns for path in folder.glob("000000.*")} == done
        assert not list(folder.rglob(".*.tmp"))
    whole = encode_corpus(ShardsConfig(), tokenizer, [corpus], tmp_path / "whole")
    assert whole.n_documents == len(DOCUMENTS) * 40
    expected = contents(tmp_path / "whole")
    for number in range(2):
        found = contents(tmp_path / f"shards{number}")
        assert {name: found[name] for name in expected} == expected


def test_a_run_that_was_killed_in_its_first_moments_goes_on(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    (folder / ".done").mkdir(parents=True)
    (folder / ".done" / "000000.json").write_text('{"source": "of who knows what"}')
    (folder / ".lock").touch()
    (folder / ".made-of.json.123.tmp").write_text("{")
    found = encode_corpus(ShardsConfig(), tokenizer, [corpus], folder)
    whole = encode_corpus(ShardsConfig(), tokenizer, [corpus], tmp_path / "whole")
    assert found.n_documents == whole.n_documents == len(DOCUMENTS)
    assert contents(folder) == contents(tmp_path / "whole")


def test_what_another_process_writes_now_is_left_alone(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    half = folder / ".made-of.json.123.tmp"
    half.write_text("{")
    with FileLock(folder / ".lock"), pytest.raises(ShardsError, match="another process writes there"):
        encode_corpus(ShardsConfig(), tokenizer, [corpus], folder)
    assert half.exists()
    assert not (folder / "made-of.json").exists()


def test_a_full_disk_is_one_line_and_encoding_goes_on_after_it(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    command = encode_command(tokenizer, corpus, folder)
    # No file may have more than 20 KiB: what writes beyond that fails as on a full disk.
    full = subprocess.run(["bash", "-c", 'ulimit -f 20; exec "$@"', "-", *command], capture_output=True, text=True)
    assert full.returncode == 2
    assert "Traceback" not in full.stderr
    assert "File too large" in full.stderr.splitlines()[-1]
    assert not list(folder.rglob("*.tmp"))
    with pytest.raises(ShardsError, match="no finished shards"):
        Shards(folder)
    subprocess.run(command, capture_output=True, check=True)
    whole = encode_corpus(ShardsConfig(), tokenizer, [corpus], tmp_path / "whole")
    assert Shards(folder).n_tokens == whole.n_tokens


@pytest.mark.parametrize("name", ["000001.tokens", "000001.documents.npy"])
@pytest.mark.parametrize("harm", ["changed", "cut", "gone"])
def test_a_damaged_shard_is_told(corpus: Path, tokenizer: Path, tmp_path: Path, name: str, harm: str) -> None:
    encode_corpus(ShardsConfig(), tokenizer, [corpus], tmp_path / "shards")
    path = tmp_path / "shards" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data if harm == "changed" else data[:-2])
    if harm == "gone":
        path.unlink()
    shards = Shards(tmp_path / "shards")
    shards.document(0)  # another shard's
    with pytest.raises(ShardsError, match=f"{name}: (damaged|cannot be read)"):
        shards.document(4)


def test_what_cannot_be_encoded_is_told(corpus: Path, tokenizer: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    train_tokenizer(TokenizerConfig(vocab_size=900), TEXTS, other)
    folder = tmp_path / "shards"
    encode_corpus(ShardsConfig(), tokenizer, [corpus], folder)
    nothing, unfinished, odd = tmp_path / "nothing", tmp_path / "unfinished", tmp_path / "odd.parquet"
    (unfinished / "documents").mkdir(parents=True)
    pq.write_table(pa.table({"content": ["x"]}), odd)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    for message, given in {
        "is encoded already": (ShardsConfig(), tokenizer, corpus, folder),
        "of another tokenizer": (ShardsConfig(), other, corpus, folder),
        "of other settings": (ShardsConfig(header="path"), tokenizer, corpus, folder),
        "no language tokens": (ShardsConfig(language_tags=True), other, corpus, tmp_path / "new"),
        "no corpus": (ShardsConfig(), tokenizer, nothing, tmp_path / "new"),
        "no finished corpus": (ShardsConfig(), tokenizer, unfinished, tmp_path / "new"),
        "no column `text`": (ShardsConfig(), tokenizer, odd, tmp_path / "new"),
        "cannot be read": (ShardsConfig(), tokenizer, tmp_path / "bad.parquet", tmp_path / "new"),
        "is not empty": (ShardsConfig(), tokenizer, corpus, unfinished),
    }.items():
        with pytest.raises(ShardsError, match=message):
            encode_corpus(given[0], given[1], [given[2]], given[3])
    assert not (tmp_path / "new").exists()
    assert [path.name for path in unfinished.iterdir()] == ["documents"]
