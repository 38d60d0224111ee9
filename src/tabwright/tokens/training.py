"""Texts -> a byte-level BPE of our own, as Hugging Face's `tokenizer.json`, with special tokens of the field's names.

Runs of white space become tokens by being frequent: what cuts a text before merging leaves them whole.

References: Sennrich et al. 2016 (BPE); Radford et al. 2019, section 2.2 (of bytes); Chen et al. 2021 (Codex),
section 3.2 (runs of white space, there added by hand); Roziere et al. 2023 (Code Llama), section 2.3 (infill tokens).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tabwright.records import replacing
from tabwright.tokens.byte_spelling import to_text
from tabwright.tokens.tokenizer import TokenizerError

END = "<|endoftext|>"
SPECIAL = (
    END, "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|file_sep|>", "<|repo_name|>", "<|im_start|>",
    "<|im_end|>",
)  # fmt: skip
_BYTES = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenizerConfig:
    """What a recipe's `[tokenizer]` table says.

    Attributes:
        vocab_size: all tokens, special ones among them.
        pattern: how a text is cut before merging, by llama.cpp's names. In `gpt-2` letters, digits, signs and white
            space stand apart; in `llama-bpe` a sign begins the word behind it, signs and line ends stand together, and
            digits in threes; `starcoder` and `qwen2` are the same two with each digit alone.
        languages: each gets a special token, `language_token`.
        train_bytes: of the texts, spread evenly over the corpus, that it is trained on.
    """

    vocab_size: int = 32_768
    pattern: Literal["gpt-2", "starcoder", "llama-bpe", "qwen2"] = "llama-bpe"
    languages: tuple[str, ...] = ()
    train_bytes: int = 200_000_000

    def __post_init__(self) -> None:
        least = _BYTES + len(self.special)
        if not least <= self.vocab_size < 1 << 31:
            raise ValueError(
                f"vocab_size: got {self.vocab_size}, must be at least {least}: all bytes and special tokens"
            )
        if self.train_bytes < 1:
            raise ValueError(f"train_bytes: got {self.train_bytes}, must be at least 1")
        if len(set(self.special)) < len(self.special):
            raise ValueError("languages: one stands there twice")

    @property
    def special(self) -> tuple[str, ...]:
        """The texts of all special tokens."""
        return SPECIAL + tuple(language_token(language) for language in self.languages)


def language_token(language: str) -> str:
    """Return the special token that stands before a document of a language, named as GitHub linguist does."""
    return f"<|language:{language}|>"


def train_tokenizer(config: TokenizerConfig, texts: Iterable[str], folder: Path) -> int:
    """Train on texts, and write `tokenizer.json` and what stands beside it; return the size of its vocabulary.

    Raises:
        TokenizerError: the texts have too few different words for so many tokens.
        OSError: a file cannot be written.
    """
    from tabwright.tokens.byte_level import build

    n_ordinary = config.vocab_size - len(config.special)
    tokens = train_tokens(texts, n_ordinary, training_pattern(config.pattern))
    if len(tokens) < n_ordinary:
        raise TokenizerError(
            f"vocab_size: got {config.vocab_size}, but the texts give {len(tokens) + len(config.special)} tokens at "
            "most; ask for fewer, or train on more"
        )
    backend = build(
        [to_text(token) for token in tokens], merges_of(tokens), config.pattern, special=config.special, added=()
    )
    with replacing(folder / "tokenizer.json") as temporary:
        temporary.write_text(backend.to_str(pretty=True), "utf-8")  # its `save` names no file when it fails
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "chat_template": ""}
    with replacing(folder / "tokenizer_config.json") as temporary:
        temporary.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    return len(tokens) + len(config.special)


def train_tokens(texts: Iterable[str], n_tokens: int, pattern: str) -> list[bytes]:
    """Return the bytes of each token, by id: all single bytes, and then what merging gave, the first merges first.

    Args:
        texts: to train on.
        n_tokens: the most that may come back.
        pattern: matches the parts of a text within which is merged.
    """
    import rustbpe

    trainer = rustbpe.Tokenizer()
    trainer.train_from_iterator(iter(texts), vocab_size=n_tokens, pattern=pattern)
    ranked = sorted(trainer.get_mergeable_ranks(), key=lambda pair: pair[1])
    return [bytes(token) for token, _ in ranked]


def training_pattern(name: str) -> str:
    """Return one expression that cuts as the steps of that name do, which are two where digits stand alone."""
    from tabwright.tokens.byte_level import CUTS

    pattern, digits = CUTS[name]
    if digits:  # white space before a digit stands at the end of what is cut, and so keeps its last character
        pattern = pattern.replace(r" ?\p{N}+", r"\p{N}").replace(r"\s+(?!\S)", r"\s+(?![^\s\p{N}])")
    return pattern


def merges_of(tokens: Iterable[bytes]) -> list[tuple[str, str]]:
    """Return the merge that made each token behind the single bytes, spelt as in files."""
    ranks: dict[bytes, int] = {}
    merges = []
    for rank, token in enumerate(tokens):
        if len(token) > 1:
            first, second = _last_merge(token, ranks)
            merges.append((to_text(first), to_text(second)))
        ranks[token] = rank
    return merges


def _last_merge(token: bytes, ranks: Mapping[bytes, int]) -> tuple[bytes, bytes]:
    """Merge a token's bytes by the merges before its own until two parts are left."""
    parts = [token[at : at + 1] for at in range(len(token))]
    while len(parts) > 2:
        pairs = [ranks.get(parts[at] + parts[at + 1], len(ranks)) for at in range(len(parts) - 1)]
        best = min(range(len(pairs)), key=pairs.__getitem__)
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts[0], parts[1]
