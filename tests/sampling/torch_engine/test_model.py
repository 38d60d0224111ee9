"""`tabwright.load`, as a script uses it."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.model.conftest import CONFIGS, random_decoder
from tests.parity import naive
from tests.parity.test_naive import CHATGLM
from tests.tokens.conftest import byte_level, sentence_piece

import tabwright
from tabwright.assistant import Cursor, find_language, prompt_for
from tabwright.model.checkpoint import save
from tabwright.sampling import EngineError, PromptError, TextPrompt
from tabwright.tokens.opening import keep_files

__all__ = ["byte_level", "sentence_piece"]  # fixtures


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


def test_codegeex2_is_asked_with_a_language_tag(sentence_piece: Path, tmp_path: Path) -> None:
    """Its folder as THUDM publishes it, but small."""
    weights = naive.random_weights(naive.chatglm_shapes(912, 32, 3, 4, 2, 8, 40), seed=3)
    torch.save(weights, tmp_path / "pytorch_model.bin")
    shape = CHATGLM | {"padded_vocab_size": 912, "seq_length": 200}
    (tmp_path / "config.json").write_text(json.dumps(shape))
    (tmp_path / "tokenizer.model").write_bytes((sentence_piece / "tokenizer.model").read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "ChatGLMTokenizer"}))
    with tabwright.load(tmp_path, slots=1) as model:
        assert model.card.prompt_style == "tagged"
        prompt, _ = prompt_for(model.card, Cursor(prefix="# 冒泡排序\n", language=find_language("python")))
        assert prompt == TextPrompt(text="# language: Python\n# 冒泡排序\n", cut=True)
        written, _ = prompt_for(model.card, Cursor(prefix="# language: Python\nx = ", language=find_language("python")))
        assert written == TextPrompt(text="# language: Python\nx = ", cut=True)
        assert model.complete(prompt.text, max_tokens=4)


def test_it_is_asked_from_threads_and_from_a_running_loop(byte_level: Path, tmp_path: Path) -> None:
    save(random_decoder(replace(CONFIGS["rotary"], vocab_size=928)), tmp_path)
    keep_files(byte_level, tmp_path)
    with tabwright.load(tmp_path, slots=2) as model:
        expected = model.complete("def f(", max_tokens=8, stop="zzzz")
        with ThreadPoolExecutor(4) as pool:
            assert {*pool.map(lambda _: model.complete("def f(", max_tokens=8), range(8))} == {expected}

        async def inside() -> str:
            return model.complete("def f(", max_tokens=8)

        assert asyncio.run(inside()) == expected
        for wrong, message in (
            ({"n": 3}, "n: got 3; one text is returned"),
            ({"temperature": -1.0}, "temperature: got -1.0, must be at least 0"),
            ({"top_logprobs": -1}, "top_logprobs: got -1"),
        ):
            with pytest.raises(PromptError, match=message):
                model.complete("x", **wrong)
        with pytest.raises(PromptError, match="order: got 'mps'; known are psm, spm"):
            model.complete("x", "y", order="mps")  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="the model is closed; load it again"):
        model.complete("x")
    model.close()


def test_what_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"has neither config.json nor params.json"):
        tabwright.load(tmp_path)
