"""Many texts -> their ids at once, never a special one: by fastokens where it is there and reads the tokenizer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tabwright.tokens.byte_level import ByteLevelTokenizer
from tabwright.tokens.opening import open_tokenizer
from tabwright.tokens.tokenizer import Tokenizer

Ids = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.int64]
_VOCABULARIES = ("tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "added_tokens.json")


class Encoder:
    """A tokenizer for many texts.

    Args:
        folder: where its files are.

    Attributes:
        tokenizer: the same for one text, and its special tokens.
        identity: equal for tokenizers with the same vocabulary files.

    Raises:
        TokenizerError: there is none, or it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tokenizer: Tokenizer = open_tokenizer(folder)
        files = [folder / name for name in _VOCABULARIES if (folder / name).is_file()]
        self.identity = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
        self._fast = _open_fast(folder, self.tokenizer)

    def encode(self, texts: Sequence[str]) -> tuple[Ids, Offsets]:
        """Return the ids of all texts, one after another, and where each begins and the last one ends."""
        if self._fast is not None:
            ids, offsets = self._fast.encode_batch_flat(list(texts), split_special_tokens=True)
            return np.frombuffer(ids, np.uint32), np.frombuffer(offsets, np.int64)
        each = [self.tokenizer.encode(text) for text in texts]
        offsets = np.cumsum([0, *(len(ids) for ids in each)], dtype=np.int64)
        return np.fromiter((token for ids in each for token in ids), np.uint32, count=int(offsets[-1])), offsets


def _open_fast(folder: Path, tokenizer: Tokenizer) -> Any:
    """Return fastokens' tokenizer; None where it is not installed, or does not know this kind."""
    path = folder / "tokenizer.json"
    if not (path.is_file() and isinstance(tokenizer, ByteLevelTokenizer)):
        return None
    try:
        import fastokens

        return fastokens.Tokenizer.from_file(str(path))
    except (ImportError, ValueError):
        return None
