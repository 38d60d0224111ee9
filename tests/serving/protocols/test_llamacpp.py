"""llama.cpp's infill protocol: requests as llama.vim sends them, answers as it reads them."""

import json
import re
import subprocess
import time
from typing import Any

import pytest

FIELDS = ["content", "truncated", "tokens_cached"]
FIELDS += [
    f"timings/{kind}_{unit}" for kind in ("prompt", "predicted") for unit in ("n", "ms", "per_token_ms", "per_second")
]
# Every field that llama.vim's llama#fim() puts in.
LLAMA_VIM = {
    "id_slot": 0,
    "input_prefix": "import math\n\n\ndef area(radius):\n",
    "input_suffix": "\n\n\ndef length(radius):\n    return 2 * math.pi * radius\n",
    "input_extra": [{"filename": "shapes.py", "text": "def square(a):\n    return a * a\n", "time": [1, 2]}],
    "prompt": "    return",
    "n_predict": 16,
    "stop": [],
    "n_indent": 4,
    "top_k": 40,
    "top_p": 0.90,
    "samplers": ["top_k", "top_p", "infill"],
    "stream": False,
    "cache_prompt": True,
    "t_max_prompt_ms": 500,
    "t_max_predict_ms": 250,
    "response_fields": FIELDS,
}


def curl(server: Any, body: dict[str, Any]) -> str:
    """Send a body with the command line that llama.vim uses."""
    command = ["curl", "--silent", "--no-buffer", "--request", "POST", "--url", f"{server.url}/infill"]
    command += ["--header", "Content-Type: application/json", "--data", "@-"]
    done = subprocess.run(command, input=json.dumps(body).encode(), capture_output=True, timeout=120, check=True)
    return done.stdout.decode()


def test_a_llama_vim_request_is_answered(server: Any) -> None:
    raw = curl(server, LLAMA_VIM)
    assert "\n" not in raw
    assert re.match(r'^\s*\{.*"content":"', raw)  # what its fast check looks for
    answer = json.loads(raw)
    assert sorted(answer) == sorted(FIELDS)
    assert answer["content"].strip()
    assert answer["timings/predicted_per_second"] > 0
    assert answer["truncated"] is False


def test_a_llama_vim_warming_request_is_answered_at_once(server: Any) -> None:
    body = {**LLAMA_VIM, "n_predict": 0, "prompt": "", "input_prefix": "", "response_fields": [""], "samplers": []}
    assert json.loads(curl(server, body)) == {}
    whole = server.post("/infill", {**body, "response_fields": []}).json()
    assert whole["content"] == ""
    assert whole["stop"] is True


def test_a_stream_says_the_same(server: Any) -> None:
    body = {"input_prefix": "def add(a, b):\n    return", "n_predict": 8, "temperature": 0, "seed": 1}
    whole = server.post("/infill", body).json()
    lines = server.post("/infill", {**body, "stream": True}).text.splitlines()
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line]
    assert "".join(event["content"] for event in events) == whole["content"] != ""
    assert [event["stop"] for event in events] == [False] * (len(events) - 1) + [True]
    assert events[-1]["timings"]["predicted_n"] == whole["timings"]["predicted_n"]


def test_a_line_indented_less_ends_the_text(server: Any) -> None:
    numbers = "".join(f"def f{n}():\n    return {n}\n" for n in range(1, 4))
    body = {"input_prefix": f"{numbers}def f4():\n    return", "n_predict": 24, "temperature": 0, "seed": 1}
    free = server.post("/infill", body).json()
    held = server.post("/infill", {**body, "n_indent": 4}).json()
    assert any(line and not line.startswith("    ") for line in free["content"].split("\n")[1:])
    assert held["content"].rstrip() == " 4"
    assert held["stop_type"] == "limit"


def test_time_ends_the_text_at_a_newline(server: Any) -> None:
    body = {"input_prefix": "a = 1\nb = 2\nc = 3\nd =", "n_predict": 100, "temperature": 0, "t_max_predict_ms": 1}
    answer = server.post("/infill", body).json()
    assert answer["stop_type"] == "limit"
    assert "\n" not in answer["content"].rstrip("\n").rpartition("\n")[0] or answer["content"].count("\n") <= 2
    assert answer["tokens_predicted"] < 20


def test_health_and_props(server: Any) -> None:
    assert server.client.get("/health").json() == {"status": "ok"}
    props = server.client.get("/props").json()
    assert props["default_generation_settings"]["n_ctx"] == 1024
    assert props["total_slots"] == 4


@pytest.mark.parametrize("field", ["n_indent", "stop", "top_p"])
def test_errors_have_llama_cpps_shape(server: Any, field: str) -> None:
    answer = server.post("/infill", {**LLAMA_VIM, field: -1})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == 400
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith(f"{field}: ")
    assert error["message"].endswith("got -1")


def test_errors_name_the_fields_of_the_protocol(server: Any) -> None:
    answer = server.post("/infill", {"input_prefix": "x", "n_predict": 401})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("n_predict: 401 is over this server's limit")
    answer = server.post("/", {"prompt": "x", "lang": "Python", "max_length": 401})
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("max_length: 401 is over this server's limit")


def test_it_does_not_wait_for_a_long_request(server: Any) -> None:
    with server.client.stream("POST", "/v1/completions", json={"prompt": "x", "max_tokens": 400, "stream": True}):
        started = time.monotonic()
        assert server.client.get("/health").status_code == 200
        assert server.post("/infill", {"input_prefix": "x =", "n_predict": 1}).status_code == 200
        assert server.metric("busy_slots") == 1
        assert time.monotonic() - started < 20
    server.wait_for("busy_slots", lambda value: value == 0)
