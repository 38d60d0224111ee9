"""Corpora -> shards: each part is encoded once, whatever interrupts it, and counts once its marker is there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from tabwright.records import remove_leftovers, replacing
from tabwright.tokens.infill import title_tokens
from tabwright.tokens.opening import keep_files
from tabwright.tokens.shards.config import ShardsConfig
from tabwright.tokens.shards.documents import Part, described, identity, parts_of
from tabwright.tokens.shards.encoder import Encoder, Ids
from tabwright.tokens.shards.store import DOCUMENT, Shards, ShardsError, Tokens, digest_of
from tabwright.tokens.training import language_token

Progress = Callable[[int, int], None]
# What a folder may hold whose process was killed before it had said what the folder is of.
_OF_CLAIMING = re.compile(r"\.lock|\.done|\.made-of\.json\.\d+\.tmp")


def encode_corpus(
    config: ShardsConfig,
    tokenizer: Path,
    sources: Sequence[Path],
    folder: Path,
    progress: Progress = lambda done, of: None,
) -> Shards:
    """Encode corpora, or go on with it, and return the shards.

    Args:
        config: how a document becomes tokens.
        tokenizer: the folder of its files.
        sources: folders that `tabwright corpus build` wrote, or Parquet files with a column `text`.
        folder: where shards go; empty, missing, or of an interrupted run of the same.
        progress: called with how many parts are done, of how many.

    Raises:
        ShardsError: the folder holds something else, another process writes there, a source cannot be read, or the
            tokenizer lacks a special token that the configuration asks for.
        TokenizerError: there is none.
    """
    encoder = Encoder(tokenizer)
    parts = parts_of(sources)
    layout = _Layout(config, encoder)
    made_of = {"tokenizer": encoder.identity, "shards": asdict(config), "parts": identity(parts)}
    _refuse_others(folder, made_of)  # before anything is written there
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            _claim(folder, made_of)
            _encode(layout, parts, folder, progress)
            _finish(config, encoder, parts, folder)
    except Timeout:
        raise ShardsError(f"{folder}: another process writes there; wait for it or end it") from None
    return Shards(folder)


class _Layout:
    """A document's tokens: language, header, text, end."""

    def __init__(self, config: ShardsConfig, encoder: Encoder) -> None:
        special = encoder.tokenizer.special
        if not encoder.tokenizer.eos_ids:
            raise ShardsError(f"{encoder.folder}: its tokenizer names no token that ends a text; set eos_token")
        self.encoder = encoder
        self.dtype = np.dtype("<u2" if encoder.tokenizer.vocab_size <= 1 << 16 else "<u4")
        self._end = min(encoder.tokenizer.eos_ids)
        self._languages = config.language_tags
        self._special = special
        known = title_tokens(special)
        self._titles = {"none": (), "path": ("path",), "repository": ("repository", "path")}[config.header]
        if not known.keys() >= set(self._titles):
            raise ShardsError(
                f"{encoder.folder}: its tokenizer has no token for header = {config.header!r}; use 'none'"
            )
        if config.language_tags and not any(text.startswith(language_token("")[:-2]) for text in special):
            raise ShardsError(f"{encoder.folder}: its tokenizer has no language tokens; set language_tags = false")
        self._before = {title: special[known[title]] for title in self._titles}

    def encode(self, documents: dict[str, list[str]]) -> tuple[Ids, np.ndarray[Any, Any]]:
        """Return the ids of some documents, and the rows that say where each begins."""
        pieces: list[Ids] = []
        n_documents = len(documents["text"])
        rows = np.zeros(n_documents + 1, DOCUMENT)
        bodies = self._split(documents["text"])
        titles = {name: list(self._split([f"{title}\n" for title in documents[name]])) for name in self._titles}
        at = 0
        for number, body in enumerate(bodies):
            header = [self._language(documents["language"][number])] if self._languages else []
            for name in self._titles:
                header += [np.array([self._before[name]], np.uint32), titles[name][number]]
            pieces += [*header, body, np.array([self._end], np.uint32)]
            n_header = sum(len(part) for part in header)
            rows[number] = at, n_header
            at += n_header + len(body) + 1
        rows[n_documents] = at, 0
        return np.concatenate(pieces) if pieces else np.zeros(0, np.uint32), rows

    def _split(self, texts: Sequence[str]) -> Iterator[Ids]:
        ids, offsets = self.encoder.encode(texts)
        return (ids[start:stop] for start, stop in pairwise(offsets.tolist()))

    def _language(self, name: str) -> Ids:
        token = self._special.get(language_token(name))
        return np.array([] if token is None else [token], np.uint32)


def _refuse_others(folder: Path, wanted: dict[str, Any]) -> None:
    """See that the folder is of this, or of nothing yet."""
    # Looked for first: by the time that another process has written anything else there, it has said what it is of.
    strange = folder.exists() and not all(_OF_CLAIMING.fullmatch(path.name) for path in folder.iterdir())
    if (folder / "made-of.json").exists():
        found = described(folder / "made-of.json")
        changed = [name for name, value in wanted.items() if found.get(name) != value]
        if changed:
            names = {"tokenizer": "another tokenizer", "shards": "other settings", "parts": "other documents"}
            raise ShardsError(f"{folder}: holds shards of {names[changed[0]]}; name another folder")
        if (folder / "shards.json").exists():
            raise ShardsError(f"{folder}: is encoded already; remove it to encode it again")
    elif strange:
        raise ShardsError(f"{folder}: is not empty; name another folder")


def _claim(folder: Path, wanted: dict[str, Any]) -> None:
    """Say what the folder is of, and remove what killed processes left there; only for who holds its lock."""
    remove_leftovers(folder)
    _refuse_others(folder, wanted)  # another process may have been here until the lock was ours
    if (folder / "made-of.json").exists():
        return
    shutil.rmtree(_marker(folder, 0).parent, ignore_errors=True)  # of what these would be, nobody knows
    with replacing(folder / "made-of.json") as temporary:
        temporary.write_text(json.dumps(wanted, indent=1), "utf-8")


def _encode(layout: _Layout, parts: Sequence[Part], folder: Path, progress: Progress) -> None:
    left = [shard for shard in range(len(parts)) if not described(_marker(folder, shard))]
    done = len(parts) - len(left)
    progress(done, len(parts))
    # While one part is encoded, the next one is read and the one before it is written.
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        read = [reader.submit(parts[shard].read) for shard in left[:1]]
        written: list[Future[None]] = []
        for number, shard in enumerate(left):
            documents = read.pop().result()
            read = [reader.submit(parts[following].read) for following in left[number + 1 : number + 2]]
            ids, rows = layout.encode(documents)
            for before in written:
                before.result()
                progress(done + number, len(parts))
            written = [writer.submit(_write, folder, shard, parts[shard].path.name, ids.astype(layout.dtype), rows)]
        for last in written:
            last.result()
            progress(len(parts), len(parts))


def _write(folder: Path, shard: int, source: str, ids: Tokens, rows: np.ndarray[Any, Any]) -> None:
    tokens, places = folder / f"{shard:06}.tokens", folder / f"{shard:06}.documents.npy"
    with replacing(tokens) as temporary, temporary.open("wb") as file:
        file.write(ids.data)
    with replacing(places) as temporary, temporary.open("wb") as file:
        np.save(file, rows)
    row = {
        "source": source,
        "n_documents": len(rows) - 1,
        "n_tokens": len(ids),
        "tokens": digest_of(tokens),
        "documents": digest_of(places),
    }
    with replacing(_marker(folder, shard)) as temporary:
        temporary.write_text(json.dumps(row), "utf-8")


def _finish(config: ShardsConfig, encoder: Encoder, parts: Sequence[Part], folder: Path) -> None:
    rows = [described(_marker(folder, shard)) for shard in range(len(parts))]
    kept = folder / "tokenizer"
    kept.mkdir(exist_ok=True)
    keep_files(encoder.folder, kept)
    manifest = {
        "tokenizer": encoder.identity,
        "vocab_size": encoder.tokenizer.vocab_size,
        "dtype": "uint16" if encoder.tokenizer.vocab_size <= 1 << 16 else "uint32",
        "n_tokens": sum(row["n_tokens"] for row in rows),
        "n_documents": sum(row["n_documents"] for row in rows),
        "config": asdict(config),
        "shards": rows,
    }
    with replacing(folder / "shards.json") as temporary:
        temporary.write_text(json.dumps(manifest, indent=1), "utf-8")
    shutil.rmtree(_marker(folder, 0).parent)


def _marker(folder: Path, shard: int) -> Path:
    return folder / ".done" / f"{shard:06}.json"
