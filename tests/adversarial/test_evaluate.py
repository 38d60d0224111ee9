"""`tabwright evaluate` on hostile samples and wrong files: a report or one line, never a traceback or an escape."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROBLEM = {"task_id": "t", "prompt": "", "entry_point": "task", "test": "def check(c):\n    assert c(1) == 1\n"}
GOOD = {"task_id": "t", "completion": "def task(n): return 1\n"}
HOSTILE = [
    'raise type("[/red]", (Exception,), {})("x")\n',
    'raise type("\\x1b]0;PWNED\\x07", (Exception,), {})("x")\n',
    'raise type("\\u202e[bold]", (Exception,), {})("\\ud800")\n',
    'import os\ndef task(n): os.write(3, b\'\\0\\0\\0\\x18["raise",["\\\\ud800"],"x"]\')\n',
]


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def evaluate(folder: Path, *arguments: str) -> tuple[int, str, str]:
    write(folder / "problems.jsonl", PROBLEM)
    done = subprocess.run(
        [sys.executable, "-m", "tabwright", "evaluate", "--benchmark", "problems.jsonl", "--workers", "1", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def test_names_of_errors_are_printed_as_what_they_are(tmp_path: Path) -> None:
    write(tmp_path / "s.jsonl", GOOD, *({"task_id": "t", "completion": text} for text in HOSTILE))
    code, out, err = evaluate(tmp_path, "s.jsonl")
    assert (code, "Traceback" in err) == (0, False), err
    shown = ("[/red]", r"\x1b]0;PWNED\x07", r"\u202e[bold]", r"\ud800")
    assert all(name in out for name in shown), out
    text = (tmp_path / "s.scores.jsonl").read_text("utf-8")
    assert all(c.isprintable() or c == "\n" for c in out + text)


def test_what_a_test_prints_of_an_answer_is_no_command_to_the_terminal(tmp_path: Path) -> None:
    test = "import warnings\ndef check(c):\n    print(c(1))\n    warnings.warn(c(1))\n"
    write(tmp_path / "printing.jsonl", PROBLEM | {"test": test})
    write(tmp_path / "s.jsonl", {"task_id": "t", "completion": "def task(n): return '\x1b]0;PWNED\x07\x1b[2J'\n"})
    code, out, err = evaluate(tmp_path, "s.jsonl", "--benchmark", "printing.jsonl")
    assert code == 0, err
    assert err.count(r"\x1b]0;PWNED\x07\x1b[2J") == 2
    assert all(c.isprintable() or c == "\n" for c in out + err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((".",), ".: cannot be read: Is a directory"),
        (("deep.jsonl",), "deep.jsonl, line 1: not JSON; remove or mend the line"),
        (("nan.jsonl",), "nan.jsonl, record 1: mean_logprob must be a finite number or null, got nan"),
        (("s.jsonl", "--timeout", "inf"), "timeout_s: got inf, must be at most 86400"),
        (("s.jsonl", "--package", "."), "package '.' is not installed here; install it or leave it out"),
        (("s.jsonl", "--out", "s.jsonl"), "s.jsonl: holds the samples themselves; choose another file"),
        (("s.jsonl", "--out", "/dev/null"), "/dev/null: not a regular file; choose another file"),
    ],
)
def test_wrong_arguments_and_files_are_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    write(tmp_path / "s.jsonl", GOOD)
    write(tmp_path / "nan.jsonl", GOOD | {"mean_logprob": float("nan"), "n_tokens": 1})
    (tmp_path / "deep.jsonl").write_text("[" * 100_000 + "\n")
    code, out, err = evaluate(tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == f"tabwright: {message}"
    assert "Traceback" not in err


@pytest.mark.parametrize("out", ["s.jsonl", "link.jsonl", "hard.jsonl", "other.txt"])
def test_fresh_empties_nothing_but_scores(tmp_path: Path, out: str) -> None:
    samples = write(tmp_path / "s.jsonl", GOOD)
    (tmp_path / "link.jsonl").symlink_to(samples)
    (tmp_path / "hard.jsonl").hardlink_to(samples)
    (tmp_path / "other.txt").write_text("a year of work")
    before = (tmp_path / out).read_bytes()
    code, _, err = evaluate(tmp_path, "s.jsonl", "--fresh", "--out", out)
    assert (tmp_path / out).read_bytes() == before
    assert code == 2
    assert "choose another file" in err


def test_fresh_scores_again(tmp_path: Path) -> None:
    write(tmp_path / "s.jsonl", GOOD)
    assert evaluate(tmp_path, "s.jsonl")[0] == 0
    first = (tmp_path / "s.scores.jsonl").read_text()
    assert evaluate(tmp_path, "s.jsonl", "--fresh", "--timeout", "2")[0] == 0
    second = (tmp_path / "s.scores.jsonl").read_text()
    assert (first.count("\n"), second.count("\n")) == (2, 2)
    assert '"timeout_s": 2.0' in second
