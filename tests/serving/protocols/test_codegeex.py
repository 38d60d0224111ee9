"""The CodeGeeX2 demo's protocol, as its README calls it."""

import json
import re
import subprocess
from typing import Any

import pytest


def test_the_readmes_curl_command_works(server: Any) -> None:
    command = f"""curl -sS -m 120 -X POST "{server.url}/" -H 'Content-Type: application/json' """
    command += """-d '{"lang": "Python", "prompt": "# Write a quick sort function"}'"""
    done = subprocess.run(command, shell=True, capture_output=True, timeout=150, check=True)
    answer = json.loads(done.stdout)
    assert sorted(answer) == ["lang", "response", "status", "time"]
    assert answer["lang"] == "Python"
    assert answer["status"] == 200
    assert "def " in answer["response"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", answer["time"])


def test_the_language_adds_its_tag_line_once(server: Any) -> None:
    def prompt_tokens(lang: str | None, prompt: str) -> float:
        before = server.metric("prompt_tokens_total")
        body = {"lang": lang, "prompt": prompt, "max_length": 1, "temperature": 0}
        assert server.post("/", body).status_code == 200
        return float(server.metric("prompt_tokens_total") - before)

    bare, tagged = prompt_tokens("None", "x = 1"), prompt_tokens("Python", "x = 1")
    assert prompt_tokens(None, "x = 1") == bare
    assert tagged > bare
    assert prompt_tokens("Python", "# language: Python\nx = 1") == tagged


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"lang": "Pyton", "prompt": "x"}, "unknown language 'Pyton'; did you mean one of: Python"),
        ({"lang": "Python"}, "prompt: this field is missing"),
        ({"prompt": "x", "max_length": 0}, "max_length: input should be greater than or equal to 1; got 0"),
        ({"prompt": "x", "max_length": 401}, "limit of 400 new tokens"),
    ],
)
def test_bad_input_is_422(server: Any, body: dict[str, Any], told: str) -> None:
    answer = server.post("/", body)
    assert answer.status_code == answer.json()["status"] == 422
    assert told in answer.json()["error"]
