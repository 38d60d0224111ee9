"""Judges of compiled languages with a cache that all tests share, and one small problem for each."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tabwright.evaluation.languages import Judge, languages
from tabwright.records import RecordError
from tabwright.sandbox import Limits


@pytest.fixture(scope="session")
def kits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all kits."""
    named = os.environ.get("TABWRIGHT_TEST_KITS")
    return Path(named) if named else tmp_path_factory.mktemp("kits")


@pytest.fixture(scope="session")
def judge_of(kits: Path) -> Iterator[Callable[[str], Judge]]:
    """Start a language's judge once; where its tools are missing the test is skipped by their name, in CI it fails."""
    with ExitStack() as stack:
        judges: dict[str, Judge] = {}

        def start(key: str) -> Judge:
            if key not in judges:
                limits = Limits(timeout_s=5.0, memory_bytes=640 << 20)
                try:
                    judges[key] = stack.enter_context(Judge(languages()[key], limits, kits))
                except RecordError as error:
                    if os.environ.get("CI"):
                        raise
                    pytest.skip(str(error))
            return judges[key]

        yield start


@pytest.fixture(scope="module")
def judge(judge_of: Callable[[str], Judge], request: pytest.FixtureRequest) -> Judge:
    """The judge of the language that the test module names."""
    return judge_of(request.module.LANGUAGE)


@pytest.fixture
def kill() -> Callable[[str], int]:
    """Kill the processes below this one whose command line ends so; return how many there were."""

    def text(path: Path) -> str:
        try:
            return path.read_text()
        except OSError:  # it ended just now
            return ""

    def descendants(pid: int) -> Iterator[int]:
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in text(path).split():
                yield int(child)
                yield from descendants(int(child))

    def end(command: str) -> int:
        below = descendants(os.getpid())
        lines = {pid: text(Path(f"/proc/{pid}/cmdline")).replace("\0", " ").strip() for pid in below}
        found = [pid for pid, line in lines.items() if line.endswith(command)]
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return len(found)

    return end
