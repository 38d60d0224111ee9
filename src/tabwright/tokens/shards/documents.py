"""Where documents are read from: corpora that were built, and Parquet files with a column of texts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tabwright.tokens.shards.store import ShardsError

_COLUMNS = ("text", "repository", "path", "language")


@dataclass(frozen=True, slots=True)
class Part:
    """One group of rows of a Parquet file: what is encoded, and resumed, at once."""

    path: Path
    group: int
    size_bytes: int

    def read(self, columns: Sequence[str] = _COLUMNS) -> dict[str, list[str]]:
        """Return columns by name; those that the file does not have, and what has no value, are empty texts.

        Raises:
            ShardsError: the file is damaged, or its texts are not UTF-8.
        """
        try:
            file = pq.ParquetFile(self.path)
            table = file.read_row_group(
                self.group, columns=[name for name in columns if name in file.schema_arrow.names]
            )
        except (OSError, pa.ArrowInvalid) as error:
            raise ShardsError(f"{self.path}: cannot be read ({error}); build it again") from None
        found = {name: self._texts(name, table.column(name)) for name in table.column_names}
        return {name: found.get(name, [""] * len(table)) for name in columns}

    def _texts(self, name: str, column: pa.ChunkedArray) -> list[str]:
        try:
            return [value or "" for value in column.to_pylist()]
        except UnicodeDecodeError:  # Parquet's writers need not look at what they call a string
            raise ShardsError(
                f"{self.path}: its column `{name}` holds bytes that are not UTF-8; build a corpus of it with "
                "`tabwright corpus build`, or write it again as UTF-8"
            ) from None


def parts_of(sources: Sequence[Path]) -> list[Part]:
    """Return all parts of some corpora, in their order.

    Raises:
        ShardsError: one is missing, not finished, not Parquet, or without texts.
    """
    return [part for source in sources for path in _files_of(source) for part in _parts(path)]


def identity(parts: Sequence[Part]) -> list[Any]:
    """Return plain data that is equal for the same files in the same places."""
    return [[str(part.path.resolve()), part.group, part.size_bytes] for part in parts]


def texts_of(parts: Sequence[Part], n_bytes: int) -> Iterator[str]:
    """Yield about so many bytes of texts: every k-th document of all, whole."""
    step = max(1, round(sum(_text_bytes(part) for part in parts) / n_bytes))
    at = 0
    for part in parts:
        texts = part.read(("text",))["text"]
        yield from texts[-at % step :: step]
        at += len(texts)


def _files_of(source: Path) -> list[Path]:
    if source.is_dir():
        files = sorted((source / "documents").glob("*.parquet"))
        if not (source / "report.json").exists() or not files:
            raise ShardsError(f"{source}: no finished corpus; name a folder that `tabwright corpus build` has written")
        return files
    if source.suffix != ".parquet" or not source.is_file():
        raise ShardsError(f"{source}: no corpus; name a folder of `tabwright corpus build`, or a .parquet file")
    return [source]


def _parts(path: Path) -> list[Part]:
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise ShardsError(f"{path}: cannot be read ({error}); build it again") from None
    columns = file.schema_arrow
    if "text" not in columns.names:
        raise ShardsError(f"{path}: has no column `text`; it has {', '.join(columns.names)}; rename that of the texts")
    kind = columns.field("text").type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise ShardsError(f"{path}: its column `text` is of type {kind}; write it as string or large_string")
    return [Part(path, group, path.stat().st_size) for group in range(file.metadata.num_row_groups)]


def _text_bytes(part: Part) -> int:
    metadata = pq.ParquetFile(part.path).metadata.row_group(part.group)
    columns = (metadata.column(at) for at in range(metadata.num_columns))
    return sum(column.total_uncompressed_size for column in columns if column.path_in_schema == "text")


def described(path: Path) -> dict[str, Any]:
    """Return a JSON object from a file; empty where there is none, or none that is whole."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
