"""What the web page asks for: facts, suggestions, and its own files."""

import json
from typing import Any

ASK = {"prefix": "def add(a, b):\n    return", "language": "Python", "max_tokens": 8}


def test_facts(server: Any) -> None:
    facts = server.client.get("/v1/page").json()
    assert facts["model"] == "smollm2-135m"
    assert facts["context_length"] == 1024
    assert facts["infill"] is False
    assert facts["source"] == "llama.cpp on this machine"
    assert "Python" in facts["languages"]
    assert facts["authentication"] == "none"


def test_suggestions_stream_candidates_and_figures(server: Any) -> None:
    answer = server.post("/v1/suggestions", {**ASK, "n": 2, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("data: [DONE]\n\n")
    lines = [line for line in answer.text.split("\n\n") if line]
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    texts = ["".join(event["text"] for event in events[:-1] if event["index"] == index) for index in (0, 1)]
    assert texts[0] == texts[1]
    assert texts[0].startswith(" a + b")
    ends = [event for event in events[:-1] if "finish_reason" in event]
    assert sorted(event["index"] for event in ends) == [0, 1]
    assert all(event["text"] == "" for event in ends)
    figures = events[-1]
    assert figures["usage"]["completion_tokens"] <= 16
    assert 0 < figures["time_to_first_token_ms"] <= figures["latency_ms"]
    assert figures["tokens_per_second"] > 0
    whole = server.post("/v1/suggestions", {**ASK, "stream": False}).json()
    assert whole["choices"][0]["text"] == texts[0]
    assert sorted(figures) == sorted(key for key in whole if key != "choices")


def test_bad_input(server: Any) -> None:
    answer = server.post("/v1/suggestions", {**ASK, "n": 4})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "n: input should be less than or equal to 3; got 4"
    assert "did you mean" in server.post("/v1/suggestions", {**ASK, "language": "Pyhton"}).json()["error"]["message"]


def test_page_and_documentation_use_this_origin_only(server: Any) -> None:
    page = server.client.get("/")
    assert page.headers["content-security-policy"].startswith("default-src 'self';")
    assert "<title>Tabwright" in page.text
    documentation = server.client.get("/docs").text
    assert "POST /infill" in documentation
    assert "://" not in documentation.replace("https://example", "")
    assert server.client.get("/assets/../settings.py").status_code == 404
