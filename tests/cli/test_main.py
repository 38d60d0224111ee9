"""The command line as a whole: help, version, and errors of one line with exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_help_lists_the_verbs(tabwright: Run) -> None:
    result = tabwright("--help")
    assert result.returncode == 0
    for verb in ("serve", "complete", "ask", "sample", "evaluate", "models", "doctor"):
        assert verb in result.stdout


def test_version(tabwright: Run) -> None:
    assert tabwright("--version").stdout.startswith("tabwright 0.")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["complete", "none.py"], "none.py: cannot be read: No such file"),
        (["complete", "here.py", "--at", "9:1"], "--at 9:1: there is no line 9; the text has 2"),
        (["complete", "here.py", "--at", "1:99"], "--at 1:99: there is no column 99"),
        (["complete", "here.py", "--at", "x"], "--at x: not LINE:COL"),
        (["complete", "here.py", "--language", "Pyhton"], "unknown language 'Pyhton'"),
        (["complete", "here.py", "--model", "no-such"], "no-such: no such model file or name"),
        (["complete", "here.py", "--model", "here.py"], "here.py: not a GGUF file"),
        (["complete", "here.py", "--remote", "http://127.0.0.1:9/v1"], "is the server running?"),
        (["complete", "binary"], "binary: not UTF-8 at byte 0"),
        (["ask", "why", "none.py"], "none.py: cannot be read"),
        (["sample", "-n", "3"], "-n 3: greedy samples are all the same"),
        (["sample", "--benchmark", "nothing"], "nothing"),
        (["evaluate", "none.jsonl"], "none.jsonl"),
        (["models", "show", "no-such"], "no-such"),
        (["models", "remove", "here.py"], "delete a file of your own yourself"),
        (["models", "pull", "https://example.invalid/x.gguf"], "end the address with #sha256="),
        (["serve", "--listen", "0.0.0.0"], "0.0.0.0"),
        (["serve", "--auth"], "--username and --password"),
        (["serve", "--model", "here.py"], "not a GGUF file"),
    ],
)
def test_what_a_person_gets_wrong_is_one_line_and_exit_code_2(
    tabwright: Run, tmp_path: Path, arguments: list[str], reason: str
) -> None:
    (tmp_path / "here.py").write_text("x = 1\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    result = tabwright(*arguments)
    assert result.returncode == 2, result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("tabwright:")]
    assert len(lines) == 1
    assert reason in lines[0]
    assert "Traceback" not in result.stderr
