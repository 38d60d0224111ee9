"""GGUF files: a path in, its metadata, vocabulary and tensor sizes out; no tensor data is read.

A file that is cut short, or is not GGUF, is refused here with a plain message, before the engine (which would only say
that it failed) sees it. Writing GGUF and reading tensors are not done here.

References: the GGUF specification in the ggml project's documentation.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tabwright.sampling.engine import EngineError, InfillTokens
from tabwright.tokens.byte_spelling import to_bytes
from tabwright.tokens.infill import infill_format

_MAGIC = b"GGUF"
_SCALARS = {0: "B", 1: "b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_MAX_COUNT = 1 << 24
# ggml type -> (elements in a block, bytes in a block); enough to know where the tensor data must end.
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
}  # fmt: skip
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip
_NORMAL, _USER_DEFINED, _BYTE = 1, 4, 6
_BYTE_TOKEN = re.compile("<0x[0-9A-Fa-f]{2}>")
_LOOKS_SPECIAL = re.compile(r"[<\[]\S+[>\]]")


class GGUFError(EngineError):
    """The file is not a whole GGUF file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GGUFFile:
    """The head of a GGUF file."""

    path: Path
    metadata: Mapping[str, Any]
    n_parameters: int
    size_bytes: int

    @property
    def architecture(self) -> str:
        """The model's architecture by llama.cpp's name for it."""
        return str(self.metadata.get("general.architecture", "unknown"))

    @property
    def context_length(self) -> int:
        """The context that the model was trained for, in tokens; 0 if the file does not say."""
        length = self.metadata.get(f"{self.architecture}.context_length", 0)
        return length if isinstance(length, int) and length > 0 else 0

    @property
    def quantisation(self) -> str:
        """The name of the file's quantisation, such as Q4_K_M."""
        number = self.metadata.get("general.file_type")
        return _FILE_TYPES.get(number, f"type {number}") if isinstance(number, int) else "unknown"

    @property
    def licence(self) -> str:
        """The licence that the file names."""
        return str(self.metadata.get("general.license", "unknown"))

    @property
    def has_chat(self) -> bool:
        """Whether the file carries a chat template."""
        return bool(self.metadata.get("tokenizer.chat_template"))

    @property
    def tokens(self) -> list[str]:
        """The vocabulary as the tokenizer spells it, by id."""
        tokens = self.metadata.get("tokenizer.ggml.tokens", [])
        return [token for token in tokens if isinstance(token, str)] if isinstance(tokens, list) else []

    @property
    def adds_space(self) -> bool:
        """Whether the tokenizer puts a space before a text, as SentencePiece does."""
        is_sentence_piece = self.metadata.get("tokenizer.ggml.model") == "llama"
        return is_sentence_piece and bool(self.metadata.get("tokenizer.ggml.add_space_prefix", True))

    @property
    def begin(self) -> str:
        """The text of the token with which a document begins; empty where the file names none."""
        number = self.metadata.get("tokenizer.ggml.bos_token_id", -1)
        return self.tokens[number] if isinstance(number, int) and 0 <= number < len(self.tokens) else ""

    def template_tokens(self) -> set[str]:
        """Return the tokens that a chat template may mean: all that the file calls special, or that look so."""
        return {token for token, kind in self._kinds() if kind != _NORMAL or _LOOKS_SPECIAL.fullmatch(token)}

    def infill_tokens(self) -> InfillTokens | None:
        """The special tokens for infilling that stand in the vocabulary; None where the model has none."""
        found = infill_format(set(self.tokens))
        return InfillTokens(**found) if found else None

    def infill_ids(self) -> dict[str, int]:
        """Return the ids of those tokens, by their texts."""
        texts = set((infill_format(set(self.tokens)) or {}).values())
        return {token: number for number, token in enumerate(self.tokens) if token in texts}

    def pieces(self) -> Iterator[bytes]:
        """Yield the byte string of every ordinary token (special ones are left out)."""
        byte_level = self.metadata.get("tokenizer.ggml.model") == "gpt2"
        for token, kind in self._kinds():
            if kind == _BYTE and _BYTE_TOKEN.fullmatch(token):
                yield bytes([int(token[3:5], 16)])
            elif kind in (_NORMAL, _USER_DEFINED):
                yield to_bytes(token) if byte_level else token.replace("▁", " ").encode()

    def _kinds(self) -> Iterable[tuple[str, int]]:
        tokens = self.tokens
        kinds = self.metadata.get("tokenizer.ggml.token_type")
        if not isinstance(kinds, list) or len(kinds) != len(tokens):
            kinds = [_NORMAL] * len(tokens)
        return zip(tokens, kinds, strict=True)


def read_gguf(path: Path) -> GGUFFile:
    """Read the head of a GGUF file and check that its tensor data is all there.

    Raises:
        GGUFError: the file is missing, is not GGUF, or is cut short.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _Reader(file, path, size).read()
    except FileNotFoundError:
        raise GGUFError(f"{path}: no such file") from None
    except OSError as error:
        raise GGUFError(f"{path}: cannot be read: {error.strerror}") from None
    except (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        raise GGUFError(f"{path}: damaged in its metadata ({error}); download it again") from None


class _Reader:
    def __init__(self, file: BinaryIO, path: Path, size: int) -> None:
        self._file, self._path, self._size = file, path, size

    def read(self) -> GGUFFile:
        if self._file.read(4) != _MAGIC:
            raise GGUFError(f"{self._path}: not a GGUF file (it does not begin with GGUF)")
        version = self._scalar(4)
        if version not in (2, 3):
            raise GGUFError(f"{self._path}: GGUF version {version} is not supported; convert it to version 3")
        n_tensors, n_keys = self._count(), self._count()
        metadata = {self._string(): self._value(self._scalar(4)) for _ in range(n_keys)}
        n_parameters = self._tensors(n_tensors, int(metadata.get("general.alignment", 32)))
        return GGUFFile(path=self._path, metadata=metadata, n_parameters=n_parameters, size_bytes=self._size)

    def _tensors(self, count: int, alignment: int) -> int:
        n_parameters = end = 0
        for _ in range(count):
            self._string()
            n_elements = math.prod(self._scalar(10) for _ in range(self._scalar(4) % 8))
            block, block_bytes = _BLOCKS.get(self._scalar(4), (1, 0))
            end = max(end, self._scalar(10) + n_elements // block * block_bytes)
            n_parameters += n_elements
        start = -(-self._file.tell() // alignment) * alignment
        if start + end > self._size:
            raise GGUFError(f"{self._path}: cut short: {self._size:,} bytes of {start + end:,}; download it again")
        return n_parameters

    def _take(self, n_bytes: int) -> bytes:
        data = self._file.read(n_bytes) if 0 <= n_bytes <= self._size else b""
        if len(data) != n_bytes:
            raise GGUFError(f"{self._path}: cut short or damaged in its metadata; download it again")
        return data

    def _scalar(self, kind: int) -> Any:
        layout = _SCALARS[kind]
        return struct.unpack(layout, self._take(struct.calcsize(layout)))[0]

    def _count(self) -> int:
        count: int = self._scalar(10)
        if count > _MAX_COUNT:
            raise GGUFError(f"{self._path}: damaged: a count of {count}; download it again")
        return count

    def _string(self) -> str:
        return self._take(self._scalar(10)).decode("utf-8", "replace")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            kind, count = self._scalar(4), self._count()
            if kind in _SCALARS:
                width = struct.calcsize(_SCALARS[kind])
                return list(struct.unpack(f"<{count}{_SCALARS[kind][-1]}", self._take(width * count)))
            return [self._value(kind) for _ in range(count)]
        if kind in _SCALARS:
            return self._scalar(kind)
        raise GGUFError(f"{self._path}: damaged: value type {kind}; download it again")
