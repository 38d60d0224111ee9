"""Small tokenizers of each kind, trained here on parts of the standard library."""

from __future__ import annotations

import argparse
import ast
import collections
import heapq
import inspect
import io
import json
import textwrap
from pathlib import Path

import pytest
import sentencepiece
from tokenizers import AddedToken, Regex, pre_tokenizers, trainers
from tokenizers import Tokenizer as Backend
from tokenizers.models import BPE

from tabwright.tokens.byte_level import CUTS

TEXTS = [inspect.getsource(module) for module in (argparse, textwrap, json.decoder, ast, collections, heapq)]
SPECIAL = ["<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]
HARD = [
    "", " ", "   \n\n\t x = 12345\r\n", "ÄÖü 漢字 🙂 \u2028 \x00",
    "def f():\n        return 'it''s'  \n", "<|endoftext|>", "don't I'LL we'Ve", "\n\n\n", "  ▁x", *TEXTS[:5],
]  # fmt: skip


@pytest.fixture(scope="session")
def byte_level(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tokenizer.json and tokenizer_config.json, as the hub has them."""
    folder = tmp_path_factory.mktemp("byte-level")
    backend = Backend(BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(CUTS["qwen2"][0]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=900, initial_alphabet=alphabet, show_progress=False)
    )
    backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    backend.save(str(folder / "tokenizer.json"))
    settings = {
        "eos_token": {"content": "<|endoftext|>", "__type": "AddedToken"},
        "bos_token": None,
        "chat_template": "{{ messages[0].content }}",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture(scope="session")
def merges(byte_level: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with vocab.json, merges.txt and extra tokens for runs of spaces."""
    folder = tmp_path_factory.mktemp("merges")
    model = json.loads((byte_level / "tokenizer.json").read_text("utf-8"))["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    lines = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]))
    names = ["<|endoftext|>", *(f"<|extratoken_{number}|>" for number in range(1, 20))]
    added = {name: len(model["vocab"]) + at for at, name in enumerate(names)}
    (folder / "added_tokens.json").write_text(json.dumps(added))
    return folder


@pytest.fixture(scope="session")
def sentence_piece(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tokenizer.model."""
    folder = tmp_path_factory.mktemp("sentence-piece")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in TEXTS for line in text.splitlines() if line.strip()]),
        model_writer=model, vocab_size=900, model_type="bpe", byte_fallback=True, split_digits=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, allow_whitespace_only_pieces=True,
        user_defined_symbols=["▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"], minloglevel=2,
    )  # fmt: skip
    (folder / "tokenizer.model").write_bytes(model.getvalue())
    return folder
