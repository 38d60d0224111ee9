"""OpenAI's chat completions, with its own client against a real server."""

from typing import Any

import openai
import pytest

ASK: dict[str, Any] = {
    "model": "smollm2-135m",
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."}],
    "temperature": 0,
    "max_tokens": 6,
}


def test_chat_answers(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(**ASK, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert answer.usage.completion_tokens <= 12


def test_stream_says_the_same_and_counts(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(**ASK)
    chunks = list(client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage is not None
    assert whole.usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_text_parts_are_joined(client: openai.OpenAI) -> None:
    parts: list[Any] = [{"type": "text", "text": "Say "}, {"type": "text", "text": "hello."}]
    messages: list[Any] = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": parts}]
    ask = {**ASK, "messages": messages}
    whole, joined = client.chat.completions.create(**ASK), client.chat.completions.create(**ask)
    assert joined.choices[0].message.content == whole.choices[0].message.content


def test_without_a_length_a_prompt_may_take_most_of_the_context(client: openai.OpenAI) -> None:
    ask = {key: value for key, value in ASK.items() if key != "max_tokens"}
    messages: list[Any] = [{"role": "user", "content": "word " * 900}]
    answer = client.chat.completions.create(**{**ask, "messages": messages})
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 900
    assert 0 < answer.usage.total_tokens <= 1024


def test_without_a_length_the_servers_limit_holds(start_server: Any) -> None:
    ask = {key: value for key, value in ASK.items() if key != "max_tokens"}
    with start_server(max_tokens_limit=5) as server:
        for body in (ask, {**ask, "max_tokens": 5}):
            answer = server.post("/v1/chat/completions", {**body, "messages": ASK["messages"]}).json()
            assert answer["usage"]["completion_tokens"] == 5
            assert answer["choices"][0]["finish_reason"] == "length"


def test_logprobs_have_the_chat_shape(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(**ASK, logprobs=True, top_logprobs=2)
    scores = answer.choices[0].logprobs
    assert scores is not None
    assert scores.content is not None
    assert "".join(row.token for row in scores.content) == answer.choices[0].message.content
    assert bytes(scores.content[0].bytes or []).decode() == scores.content[0].token
    assert [len(row.top_logprobs) for row in scores.content] == [2] * len(scores.content)


def test_max_completion_tokens_and_stop(client: openai.OpenAI) -> None:
    ask = {key: value for key, value in ASK.items() if key != "max_tokens"}
    short = client.chat.completions.create(**ask, max_completion_tokens=2)
    assert short.usage is not None
    assert short.usage.completion_tokens <= 2
    assert short.choices[0].finish_reason == "length"
    text = client.chat.completions.create(**ASK).choices[0].message.content or ""
    stopped = client.chat.completions.create(**ASK, stop=text[2:4])
    assert stopped.choices[0].message.content == text[: text.index(text[2:4])]
    assert stopped.choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([], "messages: list should have at least 1 item"),
        ([{"role": "robot", "content": "x"}], "messages[0].role: input should be 'system', 'developer', 'user' or"),
        ([{"role": "tool", "content": "x"}], "messages[0].role: tools are not supported; the roles are 'system', "),
        ([{"role": "function", "content": "x"}], "messages[0].role: tools are not supported; the roles are"),
        ([{"role": "user", "content": 5}], "messages[0].content: send text, or a list of parts of the type 'text'"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "messages[0].content[0].type: input should be 'text'"),
        ([{"role": "user", "content": "word " * 2000}], "only 1018 fit beside max_tokens"),
    ],
)
def test_bad_messages_are_named(client: openai.OpenAI, messages: Any, told: str) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(**{**ASK, "messages": messages})
    assert told in raised.value.message


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"max_tokens": 0}, "max_tokens: no token at all cannot be an answer; ask for at least 1"),
        ({"max_completion_tokens": 0}, "max_completion_tokens: no token at all"),
        ({"response_format": {"type": "json_object"}}, "response_format: only answers in plain text are supported"),
        ({"tool_choice": "required"}, "tool_choice: tools are not supported, so none can be required"),
    ],
)
def test_what_would_change_the_answers_meaning_is_refused(server: Any, body: dict[str, Any], told: str) -> None:
    answer = server.post("/v1/chat/completions", {**ASK, **body})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(told)


def test_what_asks_for_plain_text_is_taken(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(**ASK, response_format={"type": "text"}, tool_choice="none")
    assert answer.choices[0].message.content
