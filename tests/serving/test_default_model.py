"""The default model behind every protocol: its infill tokens, its best prompt style, its right answers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import openai
import pytest

PREFIX = 'def add(first, second):\n    """Return the sum of two numbers."""\n'
SUFFIX = "\n\n\nprint(add(1, 2))\n"


@pytest.fixture
def client(default_server: Any) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{default_server.url}/v1", api_key="none", max_retries=0, timeout=120) as client:
        yield client


def curl(url: str, body: dict[str, Any]) -> Any:
    """Send a body as CodeGeeX2's README and llama.vim do."""
    command = ["curl", "-sS", "-X", "POST", url, "-H", "Content-Type: application/json", "--data", "@-"]
    done = subprocess.run(command, input=json.dumps(body).encode(), capture_output=True, timeout=120, check=True)
    return json.loads(done.stdout)


def test_the_openai_client_completes_infills_and_chats(client: openai.OpenAI) -> None:
    model = client.models.list().data[0].id
    completed = client.completions.create(model=model, prompt=PREFIX, max_tokens=16, temperature=0)
    assert "return first + second" in completed.choices[0].text
    infilled = client.completions.create(
        model=model, prompt=PREFIX + "    ret", suffix=SUFFIX, max_tokens=16, temperature=0
    )
    assert infilled.choices[0].text.startswith("urn first + second")
    messages: Any = [{"role": "user", "content": "Write a Python function that adds two numbers."}]
    chatted = client.chat.completions.create(model=model, messages=messages, max_tokens=48, temperature=0)
    assert "def " in (chatted.choices[0].message.content or "")


def test_max_tokens_of_minus_one_is_no_limit(client: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "Say hello."}]
    answer = client.chat.completions.create(model="", messages=messages, max_tokens=-1, temperature=0)
    assert answer.choices[0].finish_reason == "stop"


def test_codegeex2s_curl_command(default_server: Any) -> None:
    body = {"lang": "Python", "prompt": f"# Add two numbers\n{PREFIX}", "max_length": 16, "temperature": 0}
    assert "return first + second" in curl(f"{default_server.url}/", body)["response"]


def test_a_llama_vim_request_sees_the_suffix_and_the_other_files(default_server: Any) -> None:
    other = "def area_of_the_circle(radius):\n    return 3.14 * radius**2\n"
    body = {
        "input_prefix": "from shapes import area_of_the_circle\n\n\ndef test_area():\n",
        "input_suffix": "\n\n\ntest_area()\n",
        "input_extra": [{"filename": "shapes.py", "text": other}],
        "prompt": "    assert area_",
        "n_predict": 16,
        "n_indent": 4,
        "temperature": 0,
        "t_max_prompt_ms": 500,
        "response_fields": ["content", "timings/prompt_n"],
    }
    answer = curl(f"{default_server.url}/infill", body)
    assert answer["content"].startswith("of_the_circle(")


def test_the_page_and_tabby_end_a_file_in_the_models_best_style(default_server: Any) -> None:
    body = {"prefix": PREFIX, "language": "Python", "max_tokens": 16, "temperature": 0, "stream": False}
    answer = default_server.post("/v1/suggestions", body).json()
    assert "return first + second" in answer["choices"][0]["text"]
    assert answer["usage"]["prompt_tokens"] > 80  # the question, and the file in it and in the fence
    segments = {"language": "python", "segments": {"prefix": PREFIX, "suffix": ""}}
    assert "return first + second" in default_server.post("/v1/completions", segments).json()["choices"][0]["text"]
