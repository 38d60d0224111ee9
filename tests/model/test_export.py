"""What we write is read by those for whom it is written: transformers, llama.cpp, and ourselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.model.conftest import random_decoder
from tests.tokens.conftest import byte_level

from tabwright.model import ConfigError, DecoderConfig
from tabwright.model.checkpoint import open_checkpoint
from tabwright.model.export import Quantisation, export_gguf, export_hugging_face
from tabwright.sampling import SamplingOptions, TextPrompt
from tabwright.sampling.llamacpp import LlamaCppConfig, LlamaCppEngine
from tabwright.tokens.gguf_fields import gguf_fields
from tabwright.tokens.opening import open_tokenizer

__all__ = ["byte_level"]  # a fixture

LLAMA = DecoderConfig(
    vocab_size=928, d_model=64, n_layers=2, n_heads=4, n_kv_heads=2, d_head=16, d_ff=96, context_length=256
)
GPT2 = replace(
    LLAMA,
    n_kv_heads=4, norm="layer", position="learned", activation="gelu_tanh", gated=False, biases="all",
    tied_embeddings=True, rope_theta=10_000.0,
)  # fmt: skip
CONFIGS = {
    "llama": LLAMA,
    "llama, long context": replace(LLAMA, rope_theta=1e6, tied_embeddings=True),
    "llama, interpolated": replace(LLAMA, rope_scaling="linear", rope_factor=4.0),
    "qwen2": replace(LLAMA, biases="qkv"),
    "starcoder2": replace(GPT2, n_kv_heads=2, position="rotary"),
    "gpt2": GPT2,
}
OTHERS = {
    "interleaved half": replace(LLAMA, rope_interleaved=True, rope_share=0.5, biases="qkv"),
    "top query": replace(GPT2, activation="gelu_sigmoid", d_ff=256, top_query=True),
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_transformers_loads_what_goes_out(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    decoder = random_decoder(CONFIGS[name]).to(dtype)
    export_hugging_face(decoder, tmp_path)
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    assert model.dtype == dtype
    ids = torch.randint(0, 928, (1, 30), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        error = (model.float()(ids).logits - decoder.float()(ids)).abs().max()
    assert error < 1e-4


@pytest.mark.parametrize("name", [*CONFIGS, *OTHERS])
def test_in_and_out_and_in_again_changes_no_bit(name: str, tmp_path: Path) -> None:
    decoder = random_decoder((CONFIGS | OTHERS)[name]).to(torch.float16)
    export_hugging_face(decoder, tmp_path / "one", shard_bytes=50_000)
    again = open_checkpoint(tmp_path / "one").load(dtype=torch.float16)
    assert again.config == decoder.config
    for key, weight in decoder.named_parameters():
        assert torch.equal(again.get_parameter(key), weight), key
    export_hugging_face(again, tmp_path / "two", shard_bytes=50_000)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("quantisation", ["f32", "f16", "q8_0", "q4_0", "q4_1"])
async def test_llama_cpp_runs_what_goes_out(
    name: str, quantisation: Quantisation, byte_level: Path, tmp_path: Path
) -> None:
    decoder = random_decoder(CONFIGS[name])
    path = tmp_path / "model.gguf"
    export_gguf(decoder, path, quantisation=quantisation, metadata=gguf_fields(byte_level, 928))
    stored = open_checkpoint(path).load()
    assert replace(stored.config, norm_eps=1e-5) == decoder.config  # which GGUF keeps in fp32
    engine = await LlamaCppEngine.start(LlamaCppConfig(path=path, name="small", slots=1, context_length=256))
    try:
        text = "def add(a, b):\n    return"
        options = SamplingOptions(max_tokens=1, temperature=0, top_logprobs=3)
        chunks = [chunk async for chunk in engine.generate(TextPrompt(text=text), options)]
    finally:
        await engine.close()
    tokenizer = open_tokenizer(byte_level)
    ids = tokenizer.encode(text)
    with torch.inference_mode():
        scores = torch.log_softmax(stored(torch.tensor([ids]))[0, -1], -1)
    token = next(token for chunk in chunks for token in chunk.tokens)
    # llama.cpp keeps keys and values in halves, and rounds what goes into a quantised matrix to eight bits.
    assert token.logprob == pytest.approx(float(scores.max()), abs=0.005 if quantisation[0] == "f" else 0.2)


@pytest.mark.parametrize("changed", [{"rope_theta": 5e4}, {"rope_scaling": "linear", "rope_factor": 2.0}])
def test_what_a_layout_cannot_say_is_refused(changed: dict[str, Any], tmp_path: Path) -> None:
    """ChatGLM's has no place for another rope, and none has one for the NTK-aware kind."""
    config = replace(OTHERS["interleaved half"], **changed)
    for each in (config, replace(LLAMA, rope_scaling="ntk", rope_factor=2.0)):
        with pytest.raises(ConfigError, match=r"none that Hugging Face's layout has a family for"):
            export_hugging_face(random_decoder(each), tmp_path / "model")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", OTHERS)
def test_what_llama_cpp_does_not_know_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none that llama.cpp has a family for"):
        export_gguf(random_decoder(OTHERS[name]), tmp_path / "model.gguf")
    assert not list(tmp_path.iterdir())
