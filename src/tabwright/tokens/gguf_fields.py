"""A tokenizer -> the keys and values with which a GGUF file carries it, for llama.cpp."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tabwright.tokens.byte_level import CUTS, ByteLevelTokenizer
from tabwright.tokens.infill import infill_format
from tabwright.tokens.opening import open_tokenizer, read_settings, text_of
from tabwright.tokens.tokenizer import Tokenizer, TokenizerError

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6
_INFILL = {"prefix": "fim_pre", "suffix": "fim_suf", "middle": "fim_mid", "file_separator": "fim_sep"}


def gguf_fields(folder: Path, vocab_size: int) -> dict[str, Any]:
    """Return what a GGUF file says of the tokenizer of a model's folder.

    Args:
        folder: where the tokenizer's files are.
        vocab_size: rows of the model's embedding; ids above the tokenizer's own are unused tokens.

    Raises:
        TokenizerError: there is no tokenizer, or llama.cpp has none of its kind.
    """
    tokenizer = open_tokenizer(folder)
    if (folder / "tokenizer.json").is_file() and isinstance(tokenizer, ByteLevelTokenizer):
        fields = _byte_level(folder / "tokenizer.json")
    elif (folder / "tokenizer.model").is_file():
        fields = _sentence_piece(folder / "tokenizer.model", tokenizer)
    else:
        raise TokenizerError(f"{folder}: GGUF is written from tokenizer.json or tokenizer.model; neither is here")
    _fill_up(fields, vocab_size)
    eos = text_of(read_settings(folder).get("eos_token", ""))
    fields |= _ends(tokenizer, fields["tokenizer.ggml.tokens"], eos)
    if tokenizer.chat_template:
        fields["tokenizer.chat_template"] = tokenizer.chat_template
    return fields


def _byte_level(path: Path) -> dict[str, Any]:
    described = json.loads(path.read_text("utf-8"))
    model = described["model"]
    if model["type"] != "BPE":
        raise TokenizerError(f"{path}: its model is {model['type']}; GGUF is written from byte-level BPE")
    kinds = dict.fromkeys(model["vocab"].values(), _NORMAL)
    texts = {number: text for text, number in model["vocab"].items()}
    for token in described.get("added_tokens", []):
        texts[token["id"]] = token["content"]
        kinds[token["id"]] = _CONTROL if token["special"] else _USER_DEFINED
    numbers = range(max(texts) + 1)
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": _cut_of(described.get("pre_tokenizer") or {}, path),
        "tokenizer.ggml.tokens": [texts.get(number, f"[PAD{number}]") for number in numbers],
        "tokenizer.ggml.token_type": [kinds.get(number, _UNUSED) for number in numbers],
        "tokenizer.ggml.merges": merges,
    }


def _cut_of(described: Mapping[str, Any], path: Path) -> str:
    """Return llama.cpp's name for the way in which a text is cut before merging."""
    steps: Sequence[Mapping[str, Any]] = described.get("pretokenizers", [described])
    digits = any(step["type"] == "Digits" and step.get("individual_digits") for step in steps if "type" in step)
    patterns = [step["pattern"].get("Regex", "") for step in steps if step.get("type") == "Split"]
    if not patterns and any(step.get("type") == "ByteLevel" and step.get("use_regex", True) for step in steps):
        patterns = [CUTS["gpt-2"][0]]
    for name, cut in CUTS.items():
        if cut == (patterns[-1] if patterns else "", digits):
            return name
    raise TokenizerError(f"{path}: cuts texts by {patterns or 'no pattern'}, which llama.cpp has no name for")


def _sentence_piece(path: Path, tokenizer: Tokenizer) -> dict[str, Any]:
    from sentencepiece import SentencePieceProcessor

    model = SentencePieceProcessor(model_proto=path.read_bytes())
    numbers = range(len(model))
    texts = [model.id_to_piece(number) for number in numbers]
    meant = set(tokenizer.special.values())  # Code Llama's infill tokens are ordinary pieces of its file
    kinds = [_CONTROL if number in meant else _kind(model, number) for number in numbers]
    scores = [float(model.get_score(number)) for number in numbers]
    for text, number in sorted(tokenizer.special.items(), key=lambda pair: pair[1]):
        if number >= len(texts):
            texts += [f"[PAD{missing}]" for missing in range(len(texts), number)] + [text]
            kinds += [_UNUSED] * (number - len(kinds)) + [_CONTROL]
            scores += [-1000.0] * (number + 1 - len(scores))
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": texts,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.add_space_prefix": tokenizer.piece(tokenizer.encode("x", begins=True)[0]).startswith(b" "),
    }


def _kind(model: Any, number: int) -> int:
    for kind, is_so in ((_CONTROL, model.is_control), (_UNKNOWN, model.is_unknown), (_BYTE, model.is_byte)):
        if is_so(number):
            return kind
    return _UNUSED if model.is_unused(number) else _NORMAL


def _fill_up(fields: dict[str, Any], vocab_size: int) -> None:
    tokens = fields["tokenizer.ggml.tokens"]
    if len(tokens) > vocab_size:
        raise TokenizerError(f"the tokenizer has {len(tokens)} tokens, the model {vocab_size}; they are of two models")
    missing = vocab_size - len(tokens)
    tokens += [f"[PAD{number}]" for number in range(len(tokens), vocab_size)]
    fields["tokenizer.ggml.token_type"] += [_UNUSED] * missing
    if "tokenizer.ggml.scores" in fields:
        fields["tokenizer.ggml.scores"] += [-1000.0] * missing


def _ends(tokenizer: Tokenizer, tokens: Sequence[str], eos: str) -> dict[str, Any]:
    number_of = {text: number for number, text in enumerate(tokens)}
    if len(tokenizer.opening) > 1:
        raise TokenizerError(f"{len(tokenizer.opening)} tokens stand before every text; GGUF has a place for one")
    fields: dict[str, Any] = {"tokenizer.ggml.add_bos_token": bool(tokenizer.opening)}
    if tokenizer.opening:
        fields["tokenizer.ggml.bos_token_id"] = tokenizer.opening[0]
    if tokenizer.eos_ids:
        # Every other end is known to llama.cpp by its text.
        fields["tokenizer.ggml.eos_token_id"] = number_of.get(eos, min(tokenizer.eos_ids))
    infill = infill_format(number_of) or {}
    for column, key in _INFILL.items():
        if column in infill:
            fields[f"tokenizer.ggml.{key}_token_id"] = number_of[infill[column]]
    return fields
