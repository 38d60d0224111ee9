"""The torch engine through its one method: what it gives is what a full pass over the model gives."""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.model.conftest import CONFIGS, random_decoder
from tests.tokens.conftest import byte_level, sentence_piece

from tabwright.model.checkpoint import save
from tabwright.model.decoder import Decoder
from tabwright.model.export import export_gguf
from tabwright.sampling import (
    ChatPrompt,
    Chunk,
    EngineError,
    InfillPrompt,
    Message,
    Prompt,
    SamplingOptions,
    TextPrompt,
)
from tabwright.sampling.llamacpp import LlamaCppConfig, LlamaCppEngine
from tabwright.sampling.torch_engine.choosing import Choice, Chooser
from tabwright.sampling.torch_engine.engine import TorchConfig, TorchEngine
from tabwright.tokens import Tokenizer
from tabwright.tokens.gguf_fields import gguf_fields
from tabwright.tokens.opening import keep_files, open_tokenizer, write_chat_template

__all__ = ["byte_level", "sentence_piece"]  # fixtures

TEXT = "def add(a, b):\n    return "
TEMPLATE = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}<|assistant|>"


@pytest.fixture(scope="module", params=["rotary", "learned", "top query", "window"])
def decoder(request: pytest.FixtureRequest) -> Decoder:
    return random_decoder(replace(CONFIGS[request.param], vocab_size=928, context_length=400))


@pytest.fixture(scope="module")
def folder(decoder: Decoder, byte_level: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save(decoder, folder)
    keep_files(byte_level, folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": TEMPLATE}))
    return folder


@pytest.fixture(scope="module")
async def engine(folder: Path) -> AsyncIterator[TorchEngine]:
    engine = await TorchEngine.start(TorchConfig(path=folder, slots=3, context_length=400))
    yield engine
    await engine.close()


async def run(engine: TorchEngine, prompt: Prompt, options: SamplingOptions) -> list[Chunk]:
    return [chunk async for chunk in engine.generate(prompt, options)]


def text_of(chunks: list[Chunk], index: int = 0) -> str:
    return "".join(chunk.text for chunk in chunks if chunk.index == index)


def naive(decoder: Decoder, tokenizer: Tokenizer, ids: list[int], count: int) -> tuple[str, list[float]]:
    """Return the greedy text and its log-probabilities, by a whole pass for each token."""
    ids, logprobs, out = list(ids), [], b""
    with torch.inference_mode():
        for _ in range(count):
            logits = torch.log_softmax(decoder(torch.tensor([ids]))[0, -1], -1)
            token = int(logits.argmax())
            if token in tokenizer.eos_ids:
                break
            out += tokenizer.piece(token) if token < tokenizer.vocab_size else b""
            logprobs.append(float(logits[token]))
            ids.append(token)
    # Half a character at the end is not shown.
    return codecs.getincrementaldecoder("utf-8")("replace").decode(out), logprobs


async def test_greedy_is_a_full_pass_for_each_token(engine: TorchEngine, decoder: Decoder, folder: Path) -> None:
    tokenizer = open_tokenizer(folder)
    text = "x"  # a single token is not healed
    ids = tokenizer.encode(text)
    expected, logprobs = naive(decoder, tokenizer, ids, 20)
    chunks = await run(engine, TextPrompt(text=text), SamplingOptions(max_tokens=20))
    assert text_of(chunks) == expected
    tokens = [token for chunk in chunks for token in chunk.tokens]
    assert [token.logprob for token in tokens] == pytest.approx(logprobs[: len(tokens)], abs=1e-4)
    assert len(tokens) > 15
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.prompt_tokens == len(ids)


async def test_many_at_once_are_each_alone(engine: TorchEngine) -> None:
    texts = ["x", "def f(", "class A:\n    ", "import os\n" * 30, "", "a = [1, 2, 3]\nfor i in a:\n"]
    options = SamplingOptions(max_tokens=24)
    alone = [text_of(await run(engine, TextPrompt(text=text), options)) for text in texts]
    together = await asyncio.gather(*(run(engine, TextPrompt(text=text), options) for text in texts * 2))
    assert [text_of(chunks) for chunks in together] == alone * 2


async def test_a_prompt_that_begins_alike_is_not_read_again(engine: TorchEngine) -> None:
    long = "".join(f"value_{number} = {number}\n" for number in range(30))
    options = SamplingOptions(max_tokens=4)
    first = await run(engine, TextPrompt(text=long), options)
    again = await run(engine, TextPrompt(text=long + "print("), options)
    assert again[-1].usage is not None
    assert again[-1].usage.cached_tokens > 0.9 * first[-1].usage.prompt_tokens  # type: ignore[union-attr]
    fresh = await run(engine, TextPrompt(text="#" + long + "print("), options)
    assert fresh[-1].usage is not None
    assert fresh[-1].usage.cached_tokens < 5


async def test_the_end_of_the_prompt_is_spelt_again(engine: TorchEngine, folder: Path) -> None:
    """The tokens that are fed end earlier; what comes out goes on from the text's own end."""
    for text in (TEXT, "x = sel", "    retur"):
        chunks = await run(engine, TextPrompt(text=text), SamplingOptions(max_tokens=12))
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.prompt_tokens < len(open_tokenizer(folder).encode(text))
        assert chunks[-1].usage.completion_tokens <= 12


async def test_samples_of_one_prompt_have_seeds_of_their_own(engine: TorchEngine) -> None:
    options = SamplingOptions(max_tokens=10, temperature=5.0, top_p=1.0, seed=7, n=5)
    chunks = await run(engine, TextPrompt(text=TEXT), options)
    texts = [text_of(chunks, index) for index in range(5)]
    assert len(set(texts)) >= 3
    for index in (0, 2, 4):
        one = await run(engine, TextPrompt(text=TEXT), replace(options, n=1, seed=7 + index))
        assert text_of(one) == texts[index]


@pytest.mark.parametrize("temperature", [1e-5, 1e-46, 1e-300])
async def test_a_temperature_next_to_nothing_is_greedy(engine: TorchEngine, temperature: float) -> None:
    greedy = SamplingOptions(max_tokens=10)
    cold = replace(greedy, temperature=temperature, seed=3)
    texts = [text_of(await run(engine, TextPrompt(text=TEXT), options)) for options in (greedy, cold)]
    assert texts[0] == texts[1]


async def test_draws_follow_the_model_s_distribution(engine: TorchEngine) -> None:
    options = SamplingOptions(max_tokens=1, temperature=1.0, top_p=1.0, top_logprobs=3)
    counts: dict[str, int] = {}
    top: tuple[tuple[str, float], ...] = ()
    for seed in range(300):
        tokens = [t for c in await run(engine, TextPrompt(text="x"), replace(options, seed=seed)) for t in c.tokens]
        for token in tokens:
            counts[token.text] = counts.get(token.text, 0) + 1
            top = token.top
    assert len(top) == 3
    text, logprob = top[0]
    share = float(torch.tensor(logprob).exp())
    assert abs(counts.get(text, 0) / 300 - share) < 4 * (share * (1 - share) / 300) ** 0.5 + 0.01


async def test_top_k_of_one_is_greedy(engine: TorchEngine) -> None:
    greedy = await run(engine, TextPrompt(text=TEXT), SamplingOptions(max_tokens=12))
    for options in (SamplingOptions(temperature=1.0, top_k=1), SamplingOptions(temperature=1.0, top_p=0.0)):
        drawn = await run(engine, TextPrompt(text=TEXT), replace(options, max_tokens=12, seed=3))
        assert text_of(drawn) == text_of(greedy)


async def test_stop_strings_end_a_sample(engine: TorchEngine) -> None:
    whole = text_of(await run(engine, TextPrompt(text=TEXT), SamplingOptions(max_tokens=30)))
    stop = whole[5:8]
    chunks = await run(engine, TextPrompt(text=TEXT), SamplingOptions(max_tokens=30, stop=(stop,)))
    assert text_of(chunks) == whole[: whole.find(stop)]
    assert chunks[-1].finish_reason == "stop"


async def test_infilling_and_chat(engine: TorchEngine) -> None:
    assert engine.card.infill is not None
    for prompt in (
        InfillPrompt(prefix="def f(a):\n    ", suffix="\n    return b\n"),
        ChatPrompt(messages=(Message(role="user", content="<|endoftext|> hello"),), opening="```"),
    ):
        chunks = await run(engine, prompt, SamplingOptions(max_tokens=6))
        assert chunks[-1].finish_reason in ("stop", "length")


async def test_a_stream_that_is_closed_frees_its_row(engine: TorchEngine) -> None:
    for _ in range(10):
        async with aclosing(engine.generate(TextPrompt(text=TEXT), SamplingOptions(max_tokens=300))) as chunks:
            async for _chunk in chunks:
                break
    async with asyncio.timeout(20):
        assert await run(engine, TextPrompt(text="x"), SamplingOptions(max_tokens=3))


async def test_what_cannot_be_answered_is_told(engine: TorchEngine, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="max_tokens: 400 leaves no room"):
        await run(engine, TextPrompt(text="x"), SamplingOptions(max_tokens=400))
    with pytest.raises(EngineError, match=r"only \d+ fit beside max_tokens"):
        await run(engine, TextPrompt(text="x = 1\n" * 900), SamplingOptions(max_tokens=10))
    with pytest.raises(EngineError, match="no such folder"):
        await TorchEngine.start(TorchConfig(path=tmp_path / "nothing"))


@pytest.mark.parametrize("seed", [0, 2**64 - 1, -(2**63)])
async def test_any_seed_is_one_and_the_engine_goes_on(engine: TorchEngine, seed: int) -> None:
    """Also where the second sample's would be beyond 64 bits, and where a temperature is nearly greedy."""
    options = SamplingOptions(max_tokens=6, temperature=1.0, seed=seed, n=2)
    first = await run(engine, TextPrompt(text=TEXT), options)
    assert text_of(first, 1) == text_of(await run(engine, TextPrompt(text=TEXT), options), 1)
    cold = await run(engine, TextPrompt(text=TEXT), SamplingOptions(max_tokens=6, temperature=1e-42))
    assert text_of(cold) == text_of(await run(engine, TextPrompt(text=TEXT), SamplingOptions(max_tokens=6)))


async def test_an_error_is_told_to_whom_it_belongs(engine: TorchEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Chooser.choose

    def choose(chooser: Chooser, logits: torch.Tensor) -> Choice:
        if chooser._options.seed == 13:
            raise ValueError("unlucky")
        return real(chooser, logits)

    monkeypatch.setattr(Chooser, "choose", choose)
    options = SamplingOptions(max_tokens=30, temperature=1.0, seed=1)
    alone = text_of(await run(engine, TextPrompt(text=TEXT), options))
    beside = asyncio.create_task(run(engine, TextPrompt(text=TEXT), options))
    with pytest.raises(EngineError, match="unlucky"):
        await run(engine, TextPrompt(text=TEXT), replace(options, seed=13))
    assert text_of(await beside) == alone
    assert len(await run(engine, TextPrompt(text=TEXT), replace(options, n=3))) > 3


async def test_a_sample_that_is_finished_gives_its_row_back(engine: TorchEngine) -> None:
    """The other samples of its request go on beside whoever comes next."""
    options = SamplingOptions(max_tokens=300, temperature=3.0, top_p=1.0, seed=4, n=3)
    texts = [text_of(await run(engine, TextPrompt(text=TEXT), replace(options, n=1, seed=4 + i))) for i in range(3)]
    early = next(text[2:4] for text in texts if len(text) > 4)
    most, fewest = 0, 9
    async for _ in engine.generate(TextPrompt(text=TEXT), replace(options, stop=(early,))):
        n_rows = len(engine._scheduler._batch.active)
        most, fewest = max(most, n_rows), min(fewest, n_rows or fewest)
    assert (most, fewest < 3) == (3, True)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bits": 3}, "quantize: got 3; give 4 or 8"),
        ({"slots": 0}, "slots: got 0, must be at least 1"),
        ({"device": "meta"}, "device: got 'meta'; give cpu"),
        ({"device": "nonsense"}, "device: got 'nonsense'; give cpu"),
    ],
)
async def test_a_configuration_that_cannot_be_is_told(folder: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        await TorchEngine.start(TorchConfig(path=folder, **wrong))


async def test_a_tokenizer_of_another_model_is_told(decoder: Decoder, byte_level: Path, tmp_path: Path) -> None:
    """It may have more tokens than the model, as long as they are not used."""
    save(random_decoder(replace(decoder.config, vocab_size=890)), tmp_path)
    keep_files(byte_level, tmp_path)
    engine = await TorchEngine.start(TorchConfig(path=tmp_path, slots=1, context_length=200))
    try:
        assert await run(engine, TextPrompt(text="x = "), SamplingOptions(max_tokens=2))
        ids = open_tokenizer(byte_level)
        text = next(ids.piece(token).decode() for token in range(891, 900) if ids.piece(token).isascii())
        with pytest.raises(EngineError, match=r"the tokenizer gives token \d+, and the model has 890"):
            await run(engine, TextPrompt(text=text), SamplingOptions(max_tokens=2))
    finally:
        await engine.close()


async def test_a_quantised_model_answers(folder: Path) -> None:
    engine = await TorchEngine.start(TorchConfig(path=folder, slots=1, bits=8))
    try:
        chunks = await run(engine, TextPrompt(text=TEXT), SamplingOptions(max_tokens=5))
        assert engine.card.quantisation == "INT8"
        assert chunks[-1].finish_reason
    finally:
        await engine.close()


async def test_whoever_waits_when_the_engine_is_closed_is_told(folder: Path) -> None:
    engine = await TorchEngine.start(TorchConfig(path=folder, slots=1, context_length=400))
    options = SamplingOptions(max_tokens=350, temperature=1.0)
    waiting = [asyncio.create_task(run(engine, TextPrompt(text=TEXT), options)) for _ in range(3)]
    await asyncio.sleep(0.1)
    await engine.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert any("the engine was closed" in str(result) for result in results)
    assert all(isinstance(result, list | EngineError) for result in results)


async def test_both_engines_lay_out_a_prompt_alike(sentence_piece: Path, tmp_path: Path) -> None:
    """Code Llama's formats, with its kind of tokenizer, from a folder and from the GGUF file made of it."""
    folder, path = tmp_path / "model", tmp_path / "model.gguf"
    save(random_decoder(replace(CONFIGS["rotary"], vocab_size=928, context_length=400)), folder)
    keep_files(sentence_piece, folder)
    write_chat_template("llama-instruct", folder)
    export_gguf(random_decoder(replace(CONFIGS["rotary"], vocab_size=928)), path, metadata=gguf_fields(folder, 928))
    ours = await TorchEngine.start(TorchConfig(path=folder, slots=1))
    theirs = await LlamaCppEngine.start(LlamaCppConfig(path=path, name="small", slots=1, context_length=400))
    turns = (Message(role="user", content="add  1"), Message(role="assistant", content="x"))
    prompts: list[Prompt] = [
        TextPrompt(text=TEXT),
        TextPrompt(text="\n\n  x = [1,\n\n\n 2]  "),
        InfillPrompt(prefix=TEXT, suffix="\n  return 1"),
        InfillPrompt(prefix="", suffix="x", order="spm"),
        ChatPrompt(messages=turns[:1]),
        ChatPrompt(messages=(*turns, *turns[:1]), opening="def "),
    ]
    try:
        for prompt in prompts:
            one, other = await ours._renderer.render(prompt, 300), await theirs._renderer.render(prompt, 300)
            assert one == other, prompt
    finally:
        await ours.close()
        await theirs.close()
