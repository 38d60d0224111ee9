"""`tabwright.load`, as a script uses it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.model.conftest import CONFIGS, random_decoder
from tests.tokens.conftest import byte_level

import tabwright
from tabwright.model.checkpoint import save
from tabwright.sampling import EngineError
from tabwright.tokens.opening import keep_files

__all__ = ["byte_level"]  # a fixture


def test_a_model_is_loaded_and_asked_in_two_lines(byte_level: Path, tmp_path: Path) -> None:
    save(random_decoder(replace(CONFIGS["interleaved half"], vocab_size=928)), tmp_path)
    keep_files(byte_level, tmp_path)
    with tabwright.load(tmp_path, slots=1) as model:
        text = model.complete("# language: Python\n# write a bubble sort function\n", max_tokens=8)
        assert text == model.complete("# language: Python\n# write a bubble sort function\n", max_tokens=8)
        assert model.complete("def f(", "):\n    pass\n", max_tokens=4)
        assert model.chat("hello", max_tokens=4)
        beams = model.search("def f(", width=3, max_tokens=5, n_best=2)
        assert len(beams) == 2
        assert beams[0][1].score >= beams[1][1].score
        assert model.card.engine == "torch"


def test_what_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"has neither config.json nor params.json"):
        tabwright.load(tmp_path)
