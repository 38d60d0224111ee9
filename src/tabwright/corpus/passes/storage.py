"""Files that are there whole or not at all: written under another name, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a name to write to, which becomes the file once that has gone well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(path: Path, groups: Iterable[pa.Table], schema: pa.Schema, compression: str = "zstd") -> None:
    """Write tables as the row groups of one Parquet file."""
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, compression=compression) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=max(len(group), 1))


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
