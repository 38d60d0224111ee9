"""Presets have the sizes of their papers."""

from __future__ import annotations

import pytest

from tabwright.model import ConfigError, DecoderConfig
from tabwright.model.families import preset

CODEX = {"12m": 12.6, "25m": 25.2, "42m": 42.5, "85m": 85, "300m": 302, "679m": 680, "2.5b": 2517, "12b": 12700}


@pytest.mark.parametrize(("name", "millions"), CODEX.items())
def test_codex_has_its_paper_s_number_of_weights_outside_the_embeddings(name: str, millions: float) -> None:
    config = preset(f"codex-{name}")
    embeddings = config.d_model * (config.vocab_size + config.context_length)
    assert (config.n_parameters - embeddings) / 1e6 == pytest.approx(millions, rel=0.01)


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("code-llama-7b", 6.74), ("code-llama-13b-python", 13.02), ("code-llama-34b-instruct", 33.74),
        ("codegeex-13b", 12.85), ("codegeex2-6b", 6.24), ("smollm2-135m", 0.1345),
    ],
)  # fmt: skip
def test_other_families_have_their_published_sizes(name: str, billions: float) -> None:
    assert preset(name).n_parameters / 1e9 == pytest.approx(billions, rel=0.005)


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(ConfigError, match=r"preset: got 'codex-1t'; known are codex-12m"):
        preset("codex-1t")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("n_kv_heads", 3, "n_kv_heads: got 3, must divide n_heads = 4"),
        ("d_ff", 0, "d_ff: got 0, must be a whole number from 1"),
        ("d_ff", "9", "d_ff: got '9', must be a whole number"),
        ("n_layers", 2**70, "n_layers: got 1180591620717411303424, must be a whole number from 1 to 2147483647"),
        ("n_layers", True, "n_layers: got True, must be a whole number"),
        ("norm_eps", float("nan"), "norm_eps: got nan, must be a number above 0"),
        ("rope_theta", "1e4", "rope_theta: got '1e4', must be a number above 0"),
        ("tied_embeddings", "false", "tied_embeddings: got 'false', must be true or false"),
        ("norm", "batch", "norm: got 'batch'; known are layer, rms"),
        ("attention_window", -5, "attention_window: got -5, must be a whole number from 0"),
        ("rope_share", 0.4, r"rope_share: got 0.4, must rotate an even part of d_head = 8"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(field: str, value: object, message: str) -> None:
    fields = {"vocab_size": 9, "d_model": 32, "n_layers": 1, "n_heads": 4, "n_kv_heads": 4, "d_head": 8, "d_ff": 9}
    with pytest.raises(ConfigError, match=message):
        DecoderConfig(**(fields | {"context_length": 8, field: value}))  # type: ignore[arg-type]
