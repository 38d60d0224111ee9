"""Tables as arrays: slices that copy nothing and hold nothing back, and words that are those of the texts at hand."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tabwright.corpus.batch import SLICE_BYTES, SourceFile, put, slices, table_of, texts, views, words
from tabwright.corpus.duplicates.words import words_of


def table(contents: list[bytes]) -> pa.Table:
    return table_of([SourceFile(repository="r", path=f"{at}.py", text=text) for at, text in enumerate(contents)])


def test_slices_are_the_table_again() -> None:
    contents = [bytes([at]) * (SLICE_BYTES // 3) for at in range(8)] + [b""]
    whole = pa.concat_tables([table(contents), table([b"last"]), table([b"x"]).slice(1)])
    parts = slices(whole)
    assert len(parts) > 3
    assert [bytes(text) for part in parts for text in views(part)] == [*contents, b"last"]
    assert max(len(texts(part)[0]) for part in parts) <= SLICE_BYTES + SLICE_BYTES // 3
    assert [bytes(text) for text in views(whole)] == [*contents, b"last"]
    assert len(slices(table([]))) == 1


def test_a_slice_whose_texts_were_replaced_does_not_hold_the_old_ones() -> None:
    before = pa.total_allocated_bytes()
    parts = slices(table([b"x" * 1000] * 1000))
    parts = [put(part, "text", pa.array([b""] * len(part), pa.large_binary())) for part in parts]
    assert sum(map(len, parts)) == 1000
    assert pa.total_allocated_bytes() - before < 500_000


def test_words_are_never_those_of_texts_that_were_in_the_same_memory() -> None:
    for number in range(50):  # of equal sizes, so that memory is used again
        contents = [f"{number:03} word {at:04}".encode() for at in range(300)]
        found = words(table(contents))
        joined = np.frombuffer(b"".join(contents), np.uint8)
        expected = words_of(joined, np.cumsum([0, *map(len, contents)]))
        assert np.array_equal(found.hashes, expected.hashes)
        assert np.array_equal(found.offsets, expected.offsets)
