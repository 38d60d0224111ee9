"""Byte-level BPE (Radford et al. 2019), by Hugging Face's `tokenizers`; runs of spaces may be tokens of their own.

References: Chen et al. 2021 (Codex), section 3.2, tokens for runs of white space; Zheng et al. 2023 (CodeGeeX),
section 2.1, the same by extra tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tokenizers import AddedToken, Regex, decoders, pre_tokenizers
from tokenizers import Tokenizer as Backend
from tokenizers.models import BPE

from tabwright.tokens.byte_spelling import to_bytes
from tabwright.tokens.tokenizer import TokenizerError

# How texts are cut before merging, by llama.cpp's names.
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_LLAMA3 = _QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
CUTS: Mapping[str, tuple[str, bool]] = {
    "gpt-2": (_GPT2, False),
    "default": (_GPT2, False),
    "smollm": (_GPT2, True),
    "starcoder": (_GPT2, True),
    "refact": (_GPT2, True),
    "qwen2": (_QWEN2, False),
    "llama-bpe": (_LLAMA3, False),
}


class ByteLevelTokenizer:
    """A byte-level BPE.

    Args:
        backend: the tokenizer of the `tokenizers` library.
        opening: the tokens that stand before every text.
        eos_ids: tokens that end one.
        chat_template: a Jinja template; empty if there is none.
        spaces: tokens that stand for runs of spaces, by their lengths, where the merges do not make them.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        opening: Iterable[int] = (),
        eos_ids: Iterable[int] = (),
        chat_template: str = "",
        spaces: Mapping[int, int] | None = None,
    ) -> None:
        self._backend = backend
        self._spaces = dict(sorted((spaces or {}).items(), reverse=True))
        added = backend.get_added_tokens_decoder()
        runs = set(self._spaces.values())
        self.special = {t.content: i for i, t in added.items() if t.special and i not in runs}
        self.opening = tuple(opening)
        self.eos_ids = frozenset(eos_ids)
        self.chat_template = chat_template
        self._pieces = self._read_pieces({i: t.content for i, t in added.items()})

    @property
    def vocab_size(self) -> int:
        """How many ids there are."""
        return len(self._pieces)

    def encode(self, text: str, *, special: bool = False, begins: bool = False) -> list[int]:
        """Return the ids of a text; where it stands makes no difference."""
        self._backend.encode_special_tokens = not special
        if not self._spaces:
            return list(self._backend.encode(text, add_special_tokens=False).ids)
        ids: list[int] = []
        for part in self._cut(text):
            ids += [part] if isinstance(part, int) else self._backend.encode(part, add_special_tokens=False).ids
        return ids

    def piece(self, token: int) -> bytes:
        """Return the bytes that a token stands for."""
        return self._pieces[token]

    def _cut(self, text: str) -> list[int | str]:
        """Take out runs of spaces, the longest first, each from its left."""
        parts: list[int | str] = [text]
        for length, token in self._spaces.items():
            cut: list[int | str] = []
            for part in parts:
                if isinstance(part, int):
                    cut.append(part)
                    continue
                for number, between in enumerate(part.split(" " * length)):
                    cut += [token] if number else []
                    cut += [between] if between else []
            parts = cut
        return parts

    def _read_pieces(self, added: Mapping[int, str]) -> list[bytes]:
        vocabulary = self._backend.get_vocab(with_added_tokens=True)
        pieces = [b""] * (max(vocabulary.values()) + 1)
        special = set(self.special.values())
        for text, token in vocabulary.items():
            if token not in special:
                pieces[token] = added[token].encode() if token in added else to_bytes(text)
        for length, token in self._spaces.items():
            pieces[token] = b" " * length
        return pieces


def build(
    tokens: Sequence[str], merges: Sequence[tuple[str, str]], cut: str, *, special: Iterable[str], added: Iterable[str]
) -> Backend:
    """Return the library's tokenizer of a vocabulary.

    Args:
        tokens: by id, spelt as GPT-2 spells bytes; added ones as they are.
        merges: in their order.
        cut: how a text is cut first, a name of `CUTS`.
        special: tokens that only templates mean.
        added: tokens that are found in any text before it is cut.

    Raises:
        TokenizerError: `cut` is not known, or a merge's token is missing.
    """
    if cut not in CUTS:
        raise TokenizerError(f"pre-tokenizer: got {cut!r}; known are {', '.join(CUTS)}")
    pattern, digits = CUTS[cut]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    try:
        backend = Backend(BPE(vocabulary, list(merges)))
    except Exception as error:
        raise TokenizerError(f"merges: {error}; the vocabulary and its merges are of two tokenizers") from None
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *([pre_tokenizers.Digits(individual_digits=True)] if digits else []),
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    backend.add_tokens([AddedToken(text, special=False, normalized=False) for text in added])
    return backend
