"""Shards on disk: the ids of documents one after another, where each begins, and what proves that they are whole.

shards.json             what it is of: tokenizer, counts, and each shard's digests; written last of all
000000.tokens           ids, little-endian, uint16 or uint32
000000.documents.npy    a row for each document: where it begins, and how many ids of a header it begins with
tokenizer/              the tokenizer's files
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DOCUMENT = np.dtype([("start", "<i8"), ("header", "<i4")])
Tokens = npt.NDArray[np.unsignedinteger[Any]]


class ShardsError(ValueError):
    """Shards that cannot be made or read; the message names what and the remedy."""


class Shards:
    """The documents of a folder of shards, by number.

    Args:
        folder: which `encode_corpus` has written.

    Attributes:
        tokenizer: the identity of the tokenizer that made them.
        n_tokens, n_documents: of all shards.

    Raises:
        ShardsError: it is missing, not finished, or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            manifest = _checked(json.loads((folder / "shards.json").read_text("utf-8")))
        except FileNotFoundError:
            raise ShardsError(
                f"{folder}: no finished shards; run `tabwright tokens encode` to make or finish them"
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            raise ShardsError(f"{folder / 'shards.json'}: damaged ({error}); {_AGAIN}") from None
        self.tokenizer: str = manifest["tokenizer"]
        self.n_tokens: int = manifest["n_tokens"]
        self.n_documents: int = manifest["n_documents"]
        self._dtype = _DTYPES[manifest["dtype"]]
        self._rows: list[dict[str, Any]] = manifest["shards"]
        self._begins = np.cumsum([0, *(row["n_documents"] for row in self._rows)])
        self._tokens: dict[int, Tokens] = {}
        self._documents: dict[int, npt.NDArray[Any]] = {}

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """How many tokens each document has."""
        parts = [np.diff(self._places(shard)["start"]) for shard in range(len(self._rows))]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def document(self, number: int) -> tuple[Tokens, int]:
        """Return the ids of a document, and how many of them are its header.

        Raises:
            ShardsError: its shard is damaged, which is looked for once when the first document of it is read.
            IndexError: there is none of that number.
        """
        if not 0 <= number < self.n_documents:
            raise IndexError(f"document {number}: there are {self.n_documents}")
        shard = int(np.searchsorted(self._begins, number, "right")) - 1
        rows = self._places(shard)
        at = number - int(self._begins[shard])
        return self._ids(shard)[int(rows["start"][at]) : int(rows["start"][at + 1])], int(rows["header"][at])

    def source(self, number: int) -> str:
        """Return the file that a document came from, and its row there."""
        shard = int(np.searchsorted(self._begins, number, "right")) - 1
        return f"{self._rows[shard]['source']}, row {number - int(self._begins[shard])}"

    def _places(self, shard: int) -> npt.NDArray[Any]:
        if shard not in self._documents:
            path = self.folder / f"{shard:06}.documents.npy"
            _check(path, self._rows[shard]["documents"])
            places = np.load(path)
            if places.shape != (self._rows[shard]["n_documents"] + 1,):
                raise ShardsError(f"{path}: damaged, it is not of as many documents as shards.json says; {_AGAIN}")
            self._documents[shard] = places
        return self._documents[shard]

    def _ids(self, shard: int) -> Tokens:
        if shard not in self._tokens:
            path = self.folder / f"{shard:06}.tokens"
            _check(path, self._rows[shard]["tokens"])
            self._tokens[shard] = np.memmap(path, self._dtype, "r")
        return self._tokens[shard]


_AGAIN = "remove the folder and run `tabwright tokens encode` again"
_DTYPES: dict[str, np.dtype[np.unsignedinteger[Any]]] = {"uint16": np.dtype("<u2"), "uint32": np.dtype("<u4")}
_MANIFEST = {"tokenizer": str, "dtype": str, "n_tokens": int, "n_documents": int, "shards": list}
_ROW = {"source": str, "n_tokens": int, "n_documents": int, "tokens": dict, "documents": dict}
_DIGEST = {"size_bytes": int, "sha256": str}


def _checked(manifest: Any) -> dict[str, Any]:
    """Return what shards.json holds once it is whole and its numbers agree.

    Raises:
        ValueError: they do not; it says which.
    """
    _need(manifest, _MANIFEST, "it")
    if manifest["dtype"] not in _DTYPES:
        raise ValueError(f"dtype is {manifest['dtype']!r:.60}")
    size_bytes = _DTYPES[manifest["dtype"]].itemsize
    for number, row in enumerate(manifest["shards"]):
        _need(row, _ROW, f"shard {number}")
        _need(row["tokens"], _DIGEST, f"tokens of shard {number}")
        _need(row["documents"], _DIGEST, f"documents of shard {number}")
        if row["tokens"]["size_bytes"] != row["n_tokens"] * size_bytes:
            raise ValueError(f"shard {number}: {row['n_tokens']} tokens are not {row['tokens']['size_bytes']} bytes")
    for name in ("n_tokens", "n_documents"):
        total = sum(row[name] for row in manifest["shards"])
        if manifest[name] != total:
            raise ValueError(f"{name} is {manifest[name]}, and {total} in all shards")
    return dict(manifest)


def _need(found: Any, wanted: Mapping[str, type], place: str) -> None:
    if not isinstance(found, dict):
        raise ValueError(f"{place} is {found!r:.60}")
    for name, kind in wanted.items():
        value = found.get(name)
        if type(value) is not kind or (isinstance(value, int) and value < 0):
            raise ValueError(f"{name} of {place} is {value!r:.60}")


def digest_of(path: Path) -> dict[str, Any]:
    """Return what proves that a file is whole: its size and SHA-256."""
    with path.open("rb") as file:
        return {"size_bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _check(path: Path, wanted: Mapping[str, Any]) -> None:
    try:
        found = digest_of(path)
    except OSError as error:
        raise ShardsError(f"{path}: cannot be read ({error.strerror}); {_AGAIN}") from None
    if found != wanted:
        raise ShardsError(f"{path}: damaged, it is not what was written; {_AGAIN}")
