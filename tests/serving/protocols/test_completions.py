"""OpenAI's completions and models, with its own client against a real server."""

import json
from typing import Any

import openai
import pytest

PROMPT = "def add(a, b):\n    return"


def test_completion_goes_on_with_the_prompt(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="smollm2-135m", prompt=PROMPT, max_tokens=6, temperature=0)
    assert answer.object == "text_completion"
    assert answer.choices[0].text.startswith(" a + b")
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 6
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_stream_says_the_same_as_the_whole_answer(client: openai.OpenAI) -> None:
    ask: dict[str, Any] = {"model": "small", "prompt": PROMPT, "max_tokens": 12, "temperature": 0}
    whole = client.completions.create(**ask)
    chunks = list(client.completions.create(**ask, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == whole.choices[0].text
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert whole.usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_several_prompts_samples_and_echo(client: openai.OpenAI) -> None:
    prompts = ["a = 1\nb =", "for i in"]
    answer = client.completions.create(model="", prompt=prompts, n=2, max_tokens=3, echo=True, seed=7)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert [choice.text.startswith(prompts[at // 2]) for at, choice in enumerate(answer.choices)] == [True] * 4


def test_seed_repeats_and_best_of_ranks(client: openai.OpenAI) -> None:
    ask: dict[str, Any] = {"model": "", "prompt": PROMPT, "max_tokens": 5, "seed": 3, "temperature": 1.5}
    first, second = (client.completions.create(**ask, n=3, logprobs=0) for _ in range(2))
    assert [choice.text for choice in first.choices] == [choice.text for choice in second.choices]

    def mean(choice: Any) -> float:
        return float(sum(choice.logprobs.token_logprobs) / len(choice.logprobs.token_logprobs))

    best = client.completions.create(**ask, n=1, best_of=3)
    assert best.choices[0].text == max(first.choices, key=mean).text


def test_logprobs_have_the_legacy_shape(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="", prompt=PROMPT, max_tokens=5, temperature=0, logprobs=3)
    scores = answer.choices[0].logprobs
    assert scores is not None
    assert scores.tokens is not None
    assert scores.token_logprobs is not None
    assert scores.top_logprobs is not None
    assert scores.text_offset is not None
    assert "".join(scores.tokens) == answer.choices[0].text
    assert all(value <= 0 for value in scores.token_logprobs if value is not None)
    assert all(len(top) == 3 for top in scores.top_logprobs if top)
    assert scores.text_offset[0] == len(PROMPT)
    assert scores.text_offset[1] == len(PROMPT) + len(scores.tokens[0])


def test_stop_strings_end_the_text(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="", prompt=PROMPT, max_tokens=40, temperature=0, stop=["\n", "zzz"])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].text == " a + b"


def test_suffix_is_not_repeated(client: openai.OpenAI) -> None:
    answer = client.completions.create(
        model="", prompt="one = 1\ntwo = 2\nthree", suffix="\nfour = 4\n", max_tokens=30, temperature=0
    )
    assert "\nfour = 4" not in answer.choices[0].text


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["smollm2-135m"]
    assert client.models.retrieve("smollm2-135m").object == "model"
    with pytest.raises(openai.NotFoundError, match="use 'smollm2-135m'"):
        client.models.retrieve("gpt-4/x")


@pytest.mark.parametrize(
    ("body", "param", "told"),
    [
        ({"prompt": [1, 2]}, "prompt", "send the prompt as text"),
        ({}, "prompt", "missing"),
        ({"prompt": []}, "prompt", "at least 1 item"),
        ({"prompt": "\ud800"}, "prompt[0]", "got '\\ud800'"),
        ({"prompt": "x", "max_tokens": 401}, "max_tokens", "401 is over this server's limit of 400 new tokens"),
        ({"prompt": "x", "max_tokens": 10**400}, "max_tokens", "less than or equal to"),
        ({"prompt": ["x"] * 5, "n": 2}, "n", "10 is over this server's limit of 8 samples"),
        ({"prompt": "x" * 50_001}, "prompt", "50001 is over this server's limit of 50000 characters"),
        ({"prompt": "word " * 9000}, "prompt", "only 1008 fit beside max_tokens"),
        ({"prompt": "x", "temperature": float("nan")}, "temperature", "finite number; got nan"),
        ({"prompt": "x", "top_p": 2}, "top_p", "less than or equal to 1; got 2"),
        ({"prompt": "x", "stop": ["a"] * 17}, "stop", "at most 16 stop strings"),
        ({"prompt": "x", "n": 3, "best_of": 2}, "best_of", "less than n"),
        ({"prompt": "x", "n": 1, "best_of": 2, "stream": True}, "best_of", "a stream cannot be ranked"),
        ({"prompt": "x", "echo": True, "logprobs": 1}, "logprobs", "leave out echo or logprobs"),
        ([], None, "must be a JSON object"),
    ],
)
def test_bad_input_is_named(server: Any, body: Any, param: str | None, told: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = server.client.post("/v1/completions", content=json.dumps(body), headers=headers)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"
    assert told in error["message"]
    assert "\n" not in error["message"]


def test_errors_raise_the_clients_own_exceptions(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.completions.create(model="", prompt="x", temperature=-1)
    with pytest.raises(openai.NotFoundError, match="model 'gpt-4' is not served here"):
        client.completions.create(model="gpt-4", prompt="x")


@pytest.mark.parametrize("content", [b"{", b'{"prompt": "x"', b"\xff", b"[" * 100_000, b'{"a":' * 20_000, b""])
def test_what_is_not_json_is_refused(server: Any, content: bytes) -> None:
    answer = server.client.post("/v1/completions", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_control_characters_and_unknown_fields_are_taken(server: Any) -> None:
    body = {"prompt": "a\0b\x1b é 日本 \U0001f600", "max_tokens": 2, "no_such": {"deep": [1]}, "n": None}
    assert server.post("/v1/completions", body).status_code == 200
