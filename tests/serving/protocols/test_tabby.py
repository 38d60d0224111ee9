"""Tabby's protocol, as its editor plugins speak it."""

from typing import Any

REQUEST = {
    "language": "python",
    "segments": {
        "prefix": "def add(a, b):\n    return",
        "suffix": "\n\nprint(add(1, 2))\n",
        "filepath": "add.py",
        "git_url": "https://example.com/add.git",
        "declarations": [{"filepath": "file:///numbers.py", "body": "def one(): ...", "offset": 0}],
        "relevant_snippets_from_changed_files": [{"filepath": "numbers.py", "body": "ONE = 1", "score": 0.5}],
        "clipboard": "something copied",
    },
    "temperature": 0.1,
    "user": "someone",
}


def test_completion_with_segments(server: Any) -> None:
    answer = server.post("/v1/completions", REQUEST)
    assert answer.status_code == 200
    assert answer.json()["id"].startswith("cmpl-")
    (choice,) = answer.json()["choices"]
    assert choice["index"] == 0
    assert choice["text"].startswith(" a + b")


def test_a_language_without_a_name_here_does_no_harm(server: Any) -> None:
    body = {"language": "no-such-language", "segments": {"prefix": "x = 1\ny =", "filepath": "y.unknown"}}
    assert server.post("/v1/completions", body).status_code == 200


def test_bad_segments_are_named(server: Any) -> None:
    answer = server.post("/v1/completions", {"segments": {"suffix": "x"}})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "segments.prefix"


def test_health_names_a_model_and_a_version(server: Any) -> None:
    for method in ("GET", "POST"):
        health = server.client.request(method, "/v1/health").json()
        assert health["model"] == "smollm2-135m"
        assert sorted(health["version"]) == ["build_date", "build_timestamp", "git_describe", "git_sha"]


def test_events_and_settings(server: Any) -> None:
    event = {"type": "view", "completion_id": "cmpl-1", "choice_index": 0}
    answer = server.client.post("/v1/events?select_kind=line", json=event)
    assert (answer.status_code, answer.content) == (200, b"")
    assert server.client.get("/v1beta/server_setting").json() == {"disable_client_side_telemetry": True}
