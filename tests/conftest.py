"""Fixtures that many tests share: real models (downloaded once, then cached), engines that run them, a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tabwright.cli.benchmarks import fetch_benchmark, load_problems
from tabwright.download import DownloadError
from tabwright.records import Problem, RecordError
from tabwright.sampling.llamacpp import LlamaCppConfig, LlamaCppEngine
from tabwright.sampling.models import LocalModel, pull

CHROMIUM_FLAGS = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync"]
CHROMIUM_FLAGS += ["disable-background-networking", "disable-component-update"]


@pytest.fixture(scope="session")
def smollm2() -> LocalModel:
    """The small model without infill tokens."""
    return pull("smollm2-135m")


@pytest.fixture(scope="session")
def qwen() -> LocalModel:
    """The default model."""
    return pull("qwen2.5-coder-0.5b")


@pytest.fixture(scope="session")
def benchmarks() -> Path:
    """The folder of HumanEval: the one that the environment names, else where its authors' package was fetched to."""
    named = os.environ.get("TABWRIGHT_BENCHMARKS")
    return Path(named) if named else fetch_benchmark("HumanEval.jsonl.gz").parent


@pytest.fixture(scope="session")
def published() -> Callable[[str], dict[str, Problem]]:
    """Loads a benchmark by its name; where its data cannot be had the test is skipped by that name, in CI it fails."""

    def load(name: str) -> dict[str, Problem]:
        folder = os.environ.get("TABWRIGHT_BENCHMARKS")
        try:
            return load_problems(name, Path(folder) if folder else None)
        except (DownloadError, RecordError) as error:
            if folder or os.environ.get("CI"):
                raise
            pytest.skip(f"{error}; or name a folder that has it with TABWRIGHT_BENCHMARKS")

    return load


async def _engine(model: LocalModel) -> LlamaCppEngine:
    return await LlamaCppEngine.start(
        LlamaCppConfig(
            path=model.path,
            name=model.name,
            licence=model.licence,
            prompt_style=model.prompt_style,
            slots=4,
            context_length=1024,
        )
    )


@pytest.fixture(scope="session")
async def smollm2_engine(smollm2: LocalModel) -> AsyncIterator[LlamaCppEngine]:
    """The small model, loaded."""
    engine = await _engine(smollm2)
    yield engine
    await engine.close()


@pytest.fixture(scope="session")
async def qwen_engine(qwen: LocalModel) -> AsyncIterator[LlamaCppEngine]:
    """The default model, loaded."""
    engine = await _engine(qwen)
    yield engine
    await engine.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium. For a module, as Playwright's own event loop is in the way of asynchronous tests."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is missing: `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[f"--{flag}" for flag in CHROMIUM_FLAGS])
        yield browser
        browser.close()


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("TABWRIGHT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
