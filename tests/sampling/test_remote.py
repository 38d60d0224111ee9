"""The remote engine against a real llama.cpp server and against a plain OpenAI one made of the same server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tabwright.sampling import ChatPrompt, EngineError, InfillPrompt, Message, SamplingOptions, TextPrompt
from tabwright.sampling.models import LocalModel
from tabwright.sampling.remote import RemoteConfig, RemoteEngine, _respell

PRIME = 'def is_prime(n):\n    """Return True if n is a prime number."""\n'


@pytest.fixture(scope="module")
def llama_server(smollm2: LocalModel) -> Iterator[str]:
    """llama.cpp's own server, on a port of its own."""
    import signal

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(smollm2.path)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx, params.n_parallel, params.n_batch, params.n_ubatch = 4096, 4, 128, 128
    params.cache_ram_mib, params.verbosity, params.ui, params.fit_params = 0, -1, False, False
    server = xllamacpp.Server(params)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.getsignal(number))
    address = server.listening_address
    yield (address if address.startswith("http") else f"http://{address}") + "/v1"
    del server


@pytest.fixture(scope="module")
async def remote(llama_server: str) -> AsyncIterator[RemoteEngine]:
    engine = await RemoteEngine.start(RemoteConfig(url=llama_server))
    yield engine
    await engine.close()


async def text_of(engine: RemoteEngine, prompt: Any, **options: Any) -> dict[int, str]:
    texts: dict[int, str] = {}
    async for chunk in engine.generate(prompt, SamplingOptions(**options)):
        texts[chunk.index] = texts.get(chunk.index, "") + chunk.text
    return texts


async def test_text_is_healed_and_streamed_with_log_probabilities(remote: RemoteEngine) -> None:
    shown, logprobs, reason = "", [], None
    async for chunk in remote.generate(TextPrompt(text=PRIME), SamplingOptions(max_tokens=10)):
        shown += chunk.text
        logprobs += [token.logprob for token in chunk.tokens]
        reason = chunk.finish_reason or reason
    assert shown.startswith("    if n")
    assert len(logprobs) >= 5
    assert all(value <= 0 for value in logprobs)
    assert reason == "length"


async def test_half_a_word_is_spelt_again(remote: RemoteEngine) -> None:
    texts = await text_of(remote, TextPrompt(text="import numpy as np\nimport panda"), max_tokens=4)
    assert texts[0].startswith("s as pd")


async def test_stop_strings_and_n(remote: RemoteEngine) -> None:
    texts = await text_of(remote, TextPrompt(text=PRIME), max_tokens=30, n=3, temperature=0.8, seed=1, stop=("\n",))
    assert sorted(texts) == [0, 1, 2]
    assert all("\n" not in text for text in texts.values())


async def test_chat_and_an_opening_that_it_goes_on_from(remote: RemoteEngine) -> None:
    messages = (Message(role="user", content="Count from one to five in digits."),)
    answered = await text_of(remote, ChatPrompt(messages=messages), max_tokens=8)
    assert answered[0].strip()
    went_on = await text_of(remote, ChatPrompt(messages=messages, opening="1, 2, 3,"), max_tokens=6)
    assert went_on[0].strip().startswith("4")


async def test_a_plain_openai_server_that_does_not_respell_is_asked_verbatim(llama_server: str) -> None:
    """A server without grammars goes its own way at the seam; the prompt is then asked as it stands."""
    engine = await RemoteEngine.start(RemoteConfig(url=llama_server))
    engine._is_llama_cpp = False
    texts = await text_of(engine, TextPrompt(text="x = qzv"), max_tokens=6)
    assert texts[0]
    async with httpx.AsyncClient(timeout=60) as client:
        body = {"prompt": "x = qzv", "max_tokens": 6, "temperature": 0}
        verbatim = (await client.post(f"{llama_server}/completions", json=body)).json()
    assert texts[0] == verbatim["choices"][0]["text"]
    prefix = "".join(f"line {number}\n" for number in range(1, 8)) + "line"
    infilled = await text_of(engine, InfillPrompt(prefix=prefix, suffix="\nline 10\n"), max_tokens=40)
    assert infilled[0] == " 8\nline 9"
    await engine.close()


async def test_a_long_file_is_cut_and_odd_white_space_is_no_trouble(remote: RemoteEngine) -> None:
    long = "x = 1\n" * 6000
    texts = await text_of(remote, InfillPrompt(prefix=long, suffix=long), max_tokens=8, max_prompt_tokens=512)
    assert "x" in texts[0]
    began = time.monotonic()
    assert _respell(TextPrompt(text=" " * 400_000 + "!")) == ""
    assert _respell(TextPrompt(text="a" * 400_000)) == "a" * 32
    assert _respell(TextPrompt(text="x =" + " " * 400_000)) == " " * 32
    assert time.monotonic() - began < 1


async def test_a_long_question_is_cut_where_it_may_be(remote: RemoteEngine) -> None:
    question = Message(role="user", content="value = 1\n" * 40_000 + "Count from one to five in digits.", cut=True)
    prompt = ChatPrompt(messages=(question,), opening="1, 2, 3,")
    went_on = await text_of(remote, prompt, max_tokens=6, max_prompt_tokens=512)
    assert went_on[0].strip().startswith("4")


async def test_an_address_that_answers_nothing_is_one_line() -> None:
    with pytest.raises(EngineError, match="is the server running"):
        await RemoteEngine.start(RemoteConfig(url="http://127.0.0.1:9/v1"))


async def test_a_model_that_the_server_lacks_is_named_beside_those_it_has(llama_server: str) -> None:
    with pytest.raises(EngineError, match=r"does not serve 'none'; it serves: "):
        await RemoteEngine.start(RemoteConfig(url=llama_server, model="none"))
    with pytest.raises(EngineError):
        await RemoteEngine.start(RemoteConfig(url=llama_server.removesuffix("/v1") + "/nothing/here"))
