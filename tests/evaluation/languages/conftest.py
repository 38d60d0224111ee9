"""Judges of compiled languages with a cache that all tests share, and one small problem for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tabwright.evaluation.languages import Judge, languages
from tabwright.records import RecordError
from tabwright.sandbox import Limits


@pytest.fixture(scope="session")
def judge_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Judge]]:
    """Start a language's judge once; where its tools are missing the test is skipped by their name, in CI it fails."""
    named = os.environ.get("TABWRIGHT_TEST_KITS")
    cache = Path(named) if named else tmp_path_factory.mktemp("kits")
    with ExitStack() as stack:
        judges: dict[str, Judge] = {}

        def start(key: str) -> Judge:
            if key not in judges:
                limits = Limits(timeout_s=5.0, memory_bytes=640 << 20)
                try:
                    judges[key] = stack.enter_context(Judge(languages()[key], limits, cache))
                except RecordError as error:
                    if os.environ.get("CI"):
                        raise
                    pytest.skip(str(error))
            return judges[key]

        yield start
