"""The verbs on real models: complete, ask, models, doctor, sample and evaluate."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tabwright.records import Sample, read_records
from tests.cli.conftest import Run

SMALL = ("--model", "smollm2-135m")


@pytest.mark.usefixtures("smollm2")
def test_complete_prints_what_comes_at_the_cursor(tabwright: Run, tmp_path: Path) -> None:
    (tmp_path / "count.txt").write_text("line 1\nline 2\nline 3\nline 4\nline\nline 7\n")
    result = tabwright("complete", "count.txt", "--at", "5:5", "--max-tokens", "20", *SMALL)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0] == " 5"
    assert "line 7" not in result.stdout


@pytest.mark.usefixtures("smollm2")
def test_complete_reads_standard_input_and_the_same_seed_gives_the_same_text(tabwright: Run) -> None:
    hot = ("complete", "-", "--language", "Python", "--temperature", "1", "--seed", "3", "--max-tokens", "12", *SMALL)
    first, again = (tabwright(*hot, stdin="def add(a, b):\n") for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout != "\n"


@pytest.mark.usefixtures("smollm2")
def test_ask_answers_about_a_file(tabwright: Run, tmp_path: Path) -> None:
    (tmp_path / "add.py").write_text("def add(a, b):\n    return a + b\n")
    result = tabwright("ask", "explain", "add.py", "--max-tokens", "40", *SMALL)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.split()) > 10


@pytest.mark.usefixtures("smollm2")
def test_models_list_and_show(tabwright: Run) -> None:
    assert "qwen2.5-coder-0.5b" in tabwright("models", "list").stdout
    shown = tabwright("models", "show", "smollm2-135m").stdout
    for fact in ("llama", "134,515,008", "8,192", "Q4_1", "98,362,432", "Apache-2.0", "infill tokens   none"):
        assert fact in shown


def test_doctor_says_what_is_here_and_what_is_missing(tabwright: Run) -> None:
    result = tabwright("doctor", PATH="/nonexistent")
    for word in ("llama.cpp", "smollm2-135m", "seccomp", "ready to score", "apt install"):
        assert word in result.stdout


@pytest.mark.usefixtures("smollm2")
def test_a_place_that_cannot_be_written_to_is_named_in_one_line(tabwright: Run, benchmarks: Path) -> None:
    place = ("--out", "/proc/samples.jsonl", "--benchmarks", str(benchmarks))
    result = tabwright("sample", "--limit", "1", "--max-tokens", "1", *place, *SMALL)
    assert result.returncode == 2
    assert "/proc/" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


@pytest.mark.usefixtures("smollm2")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("serve", "--api-key", ""), "tabwright: --api-key: the key is empty"),
        (("complete", "-", "--max-tokens", "99999", *SMALL), "max_tokens: 99999 leaves no room for a prompt"),
        (("evaluate", "/dev/null"), "/dev/null: not a regular file"),
        (("evaluate", "half.jsonl"), "half.jsonl, record 1: 'completion' is missing; add it"),
        (("sample", "--benchmark", "/tmp"), "/tmp: problems are read from files that end in .jsonl"),
    ],
)
def test_bad_input_is_named_in_one_line(tabwright: Run, tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    (tmp_path / "half.jsonl").write_text('{"task_id": "HumanEval/0"}\n')
    result = tabwright(*arguments)
    assert result.returncode == 2
    assert told in result.stderr.splitlines()[-1]


def test_a_style_for_what_is_to_be_filled_in_is_refused(tabwright: Run, tmp_path: Path) -> None:
    row = {"task_id": "t", "prompt": "a", "suffix": "b", "entry_point": "f", "test": ""}
    (tmp_path / "mine.jsonl").write_text(json.dumps(row) + "\n")
    result = tabwright("sample", "--benchmark", "mine.jsonl", "--style", "chat", *SMALL)
    assert result.returncode == 2
    assert "--style chat: does not suit mine.jsonl; take infill or infill-spm" in result.stderr


@pytest.mark.usefixtures("smollm2")
def test_sample_then_evaluate_and_again_without_doing_anything_twice(
    tabwright: Run, tmp_path: Path, benchmarks: Path
) -> None:
    where = ("--benchmarks", str(benchmarks))
    sampled = tabwright("sample", "--limit", "3", "--max-tokens", "48", "--out", "s.jsonl", *where, *SMALL)
    assert sampled.returncode == 0, sampled.stderr
    samples = list(read_records(tmp_path / "s.jsonl", Sample))
    assert sorted(sample.task_id for sample in samples) == ["HumanEval/0", "HumanEval/1", "HumanEval/2"]
    recipe = json.loads((tmp_path / "s.jsonl.recipe.json").read_text())
    assert recipe["model"] == "smollm2-135m"
    assert recipe["style"] in ("completion", "fence", "shown-fence", "chat")

    scored = tabwright("evaluate", "s.jsonl", *where)
    assert scored.returncode == 0, scored.stderr
    assert "pass@1" in scored.stdout
    assert "3 of 164 problems" in scored.stdout
    before = (tmp_path / "s.scores.jsonl").read_bytes()
    report = json.loads(tabwright("evaluate", "s.jsonl", "--json", *where).stdout)
    assert report["samples"] == 3
    assert (tmp_path / "s.scores.jsonl").read_bytes() == before


@pytest.mark.usefixtures("smollm2")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_sample_run_keeps_what_is_written_and_goes_on(
    tabwright: Run, tmp_path: Path, benchmarks: Path, how: signal.Signals
) -> None:
    command = ["sample", "--limit", "4", "-n", "2", "--temperature", "0.8", "--max-tokens", "24", "--out", "s.jsonl"]
    command += ["--workers", "2", "--benchmarks", str(benchmarks), *SMALL]
    # A shell that runs the tests in the background has Ctrl-C ignored by all that they start.
    deaf = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "-m", "tabwright", *command], cwd=tmp_path, env=os.environ, stderr=subprocess.DEVNULL
    )
    signal.signal(signal.SIGINT, deaf)
    out = tmp_path / "s.jsonl"
    deadline = time.monotonic() + 120
    while not out.exists() or out.read_bytes().count(b"\n") < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(how)
    assert process.wait(timeout=60) != 0
    kept = [line for line in out.read_text().splitlines(keepends=True) if line.endswith("\n")]
    result = tabwright(*command)
    assert result.returncode == 0, result.stderr
    lines = out.read_text().splitlines(keepends=True)
    assert lines[: len(kept)] == kept
    assert len(lines) == 8


@pytest.mark.usefixtures("empty_cache")
def test_pulling_twice_at_once_gives_one_whole_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tabwright", "models", "pull", "smollm2-135m"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
    outputs = [process.communicate(timeout=200)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outputs[0] == outputs[1]
    files = [path for path in (tmp_path / "cache" / "models").iterdir() if path.suffix == ".gguf"]
    assert [path.stat().st_size for path in files] == [98_362_432]
