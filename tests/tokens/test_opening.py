"""Tokenizers from every kind of file: texts come back as they were, and a user's text never becomes a special token."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import gguf
import pytest
from tests.tokens.conftest import HARD, SPECIAL
from tokenizers import Tokenizer as Backend
from tokenizers import processors

from tabwright.tokens import Tokenizer, TokenizerError
from tabwright.tokens.gguf_fields import gguf_fields
from tabwright.tokens.opening import keep_files, open_tokenizer
from tabwright.tokens.sentence_piece import SentencePieceTokenizer
from tabwright.tokens.tokenizer import decode


@pytest.fixture(params=["byte_level", "merges", "sentence_piece"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return open_tokenizer(request.getfixturevalue(request.param))


@pytest.mark.parametrize("text", HARD)
def test_a_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    lost = "▁" if isinstance(tokenizer, SentencePieceTokenizer) else ""  # it spells a space with this character
    assert decode(tokenizer, ids) == (text.replace(lost, " ") if lost else text)
    assert not set(ids) & set(tokenizer.special.values())
    assert max(ids, default=0) < tokenizer.vocab_size


def test_special_tokens_are_meant_only_where_it_is_said(byte_level: Path) -> None:
    tokenizer = open_tokenizer(byte_level)
    ids = tokenizer.encode("<|fim_prefix|>a<|fim_suffix|>b", special=True)
    assert [tokenizer.special["<|fim_prefix|>"], tokenizer.special["<|fim_suffix|>"]] == [ids[0], ids[2]]
    assert decode(tokenizer, ids) == "ab"
    assert tokenizer.eos_ids == {tokenizer.special["<|endoftext|>"]}
    assert tokenizer.opening == ()
    assert tokenizer.chat_template == "{{ messages[0].content }}"


def test_a_text_begins_as_the_tokenizer_itself_begins_one(byte_level: Path, tmp_path: Path) -> None:
    """A `bos_token` that is named but put nowhere, as GPT-2's, is not put before a text."""
    for file in byte_level.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<|endoftext|>"}))
    assert open_tokenizer(tmp_path).opening == ()
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<|endoftext|>", "add_bos_token": True}))
    (bos,) = open_tokenizer(tmp_path).opening
    assert bos == open_tokenizer(byte_level).special["<|endoftext|>"]
    backend = Backend.from_file(str(tmp_path / "tokenizer.json"))
    backend.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", bos)]
    )
    backend.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text("{}")
    assert open_tokenizer(tmp_path).opening == (bos,)


@pytest.mark.parametrize("length", [*range(1, 24), 70])
def test_runs_of_spaces_are_tokens_longest_first(merges: Path, length: int) -> None:
    """Ten spaces at most are one token, which is CodeGeeX's extra token 8 + their number (Zheng et al. 2023, 2.1)."""
    tokenizer = open_tokenizer(merges)
    added = json.loads((merges / "added_tokens.json").read_text())
    ids = tokenizer.encode("x" + " " * length + "y")
    runs = [added[f"<|extratoken_{8 + run}|>"] for run in [10] * (length // 10) + [length % 10] if run > 1]
    assert [token for token in ids if token in added.values()] == runs
    assert decode(tokenizer, ids) == "x" + " " * length + "y"


def write_gguf(fields: dict[str, Any], path: Path) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    kinds = {str: "STRING", bool: "BOOL", int: "UINT32", list: "ARRAY"}
    for key, value in fields.items():
        writer.add_key_value(key, value, gguf.GGUFValueType[kinds[type(value)]])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_tokenizer_goes_through_gguf(byte_level: Path, tmp_path: Path) -> None:
    here = open_tokenizer(byte_level)
    fields = gguf_fields(byte_level, here.vocab_size + 6)
    assert fields["tokenizer.ggml.pre"] == "qwen2"
    assert fields["tokenizer.ggml.fim_mid_token_id"] == here.special["<|fim_middle|>"]
    assert len(fields["tokenizer.ggml.tokens"]) == here.vocab_size + 6
    write_gguf(fields, tmp_path / "model.gguf")
    kept = tmp_path / "kept"
    kept.mkdir()
    keep_files(tmp_path / "model.gguf", kept)
    library = Backend.from_file(str(kept / "tokenizer.json"))
    assert library.decode(library.encode(HARD[4]).ids) == HARD[4]
    for there in (open_tokenizer(tmp_path / "model.gguf"), open_tokenizer(kept)):
        for text in HARD:
            assert there.encode(text) == here.encode(text), text
            assert there.encode(text, special=True) == here.encode(text, special=True), text
        assert {name: there.special[name] for name in SPECIAL} == here.special
        assert (there.eos_ids, there.opening, there.chat_template) == (here.eos_ids, here.opening, here.chat_template)


def test_a_full_disk_names_the_file_of_a_tokenizer_from_gguf(byte_level: Path, tmp_path: Path) -> None:
    write_gguf(gguf_fields(byte_level, open_tokenizer(byte_level).vocab_size), tmp_path / "model.gguf")
    command = (
        "import sys; from pathlib import Path; from tabwright.tokens.opening import keep_files\n"
        "try: keep_files(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except OSError as error: print(error.filename, error.strerror)"
    )
    # No file may have more than 4 KiB: what writes beyond that fails as on a full disk.
    limited = ["bash", "-c", 'ulimit -f 4; exec "$@"', "-", sys.executable, "-c", command]
    said = subprocess.check_output([*limited, str(tmp_path / "model.gguf"), str(tmp_path / "kept")], text=True)
    assert "tokenizer.json" in said
    assert "File too large" in said


@pytest.mark.parametrize("changed", [{"<|endoftext|>": 3}, {"new": 3000}, {"e": 900}])
def test_ids_that_meet_or_leave_holes_are_refused(merges: Path, tmp_path: Path, changed: dict[str, int]) -> None:
    for file in merges.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    added = json.loads((merges / "added_tokens.json").read_text())
    (tmp_path / "added_tokens.json").write_text(json.dumps(added | changed))
    with pytest.raises(TokenizerError, match=r"vocab.json and added_tokens.json have a hole or meet at"):
        open_tokenizer(tmp_path)


@pytest.mark.parametrize("name", ["vocab.json", "tokenizer_config.json", "added_tokens.json"])
@pytest.mark.parametrize("content", ["[1]", '{"eos_token": {}, "chat_template": 3, "x": "y"}', "7"])
def test_damaged_files_are_one_error(merges: Path, tmp_path: Path, name: str, content: str) -> None:
    for file in merges.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / name).write_text(content)
    with pytest.raises(TokenizerError):
        open_tokenizer(tmp_path)


def test_code_llama_s_infill_tokens_are_special(sentence_piece: Path) -> None:
    """They are pieces of its tokenizer.model (Roziere et al. 2023, section 2.3); `▁<EOT>` ends the middle."""
    tokenizer = open_tokenizer(sentence_piece)
    ids = tokenizer.encode("▁<PRE>def f(▁<SUF>):▁<MID>", special=True)
    names = [text for token in ids for text, number in tokenizer.special.items() if number == token]
    assert names == ["▁<PRE>", "▁<SUF>", "▁<MID>"]
    assert decode(tokenizer, ids) == "def f():"
    assert tokenizer.special["▁<EOT>"] in tokenizer.eos_ids
    assert len(tokenizer.eos_ids) == 2


def test_sentence_piece_goes_into_gguf(sentence_piece: Path) -> None:
    tokenizer = open_tokenizer(sentence_piece)
    fields = gguf_fields(sentence_piece, tokenizer.vocab_size)
    assert fields["tokenizer.ggml.model"] == "llama"
    assert (fields["tokenizer.ggml.bos_token_id"], fields["tokenizer.ggml.eos_token_id"]) == (1, 2)
    kinds = fields["tokenizer.ggml.token_type"]
    assert (kinds[0], kinds[1], kinds.count(6)) == (2, 3, 256)
    assert len(fields["tokenizer.ggml.scores"]) == tokenizer.vocab_size


def test_a_model_with_fewer_rows_than_the_tokenizer_has_tokens_is_refused(byte_level: Path) -> None:
    with pytest.raises(TokenizerError, match=r"the tokenizer has 904 tokens, the model 900; they are of two models"):
        gguf_fields(byte_level, 900)


def test_files_that_cannot_be_used_are_named(tmp_path: Path, byte_level: Path) -> None:
    with pytest.raises(TokenizerError, match=r"has no tokenizer; expected tokenizer.json"):
        open_tokenizer(tmp_path)
    (tmp_path / "tokenizer.model").write_bytes(b"x")
    with pytest.raises(TokenizerError, match=r"tokenizer.model: no SentencePiece model"):
        open_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(TokenizerError, match=r"tokenizer.json: cannot be used"):
        open_tokenizer(tmp_path)
    write_gguf({"tokenizer.ggml.model": "llama"}, tmp_path / "x.gguf")
    with pytest.raises(TokenizerError, match=r"of the kind 'llama'"):
        open_tokenizer(tmp_path / "x.gguf")
