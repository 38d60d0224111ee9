"""`--engine torch`: a folder of weights behind the protocols, and behind `sample` and `complete`."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tabwright.model.checkpoint import save
from tabwright.tokens.opening import keep_files
from tests.cli.conftest import Run
from tests.model.conftest import CONFIGS, random_decoder
from tests.tokens.conftest import byte_level

__all__ = ["byte_level"]  # a fixture


@pytest.fixture(scope="module")
def folder(byte_level: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a top-query layer, which llama.cpp cannot run."""
    folder = tmp_path_factory.mktemp("torch") / "small-geex"
    save(random_decoder(replace(CONFIGS["top query"], vocab_size=928)), folder)
    keep_files(byte_level, folder)
    return folder


@pytest.fixture(scope="module", params=[0, 8])
def url(folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    serve = [sys.executable, "-m", "tabwright", "serve", "--engine", "torch", "--model", str(folder), "--port", "0"]
    more = ["--quantize", str(request.param), "--context", "512"]
    with subprocess.Popen([*serve, *more], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert found
        yield found[0]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_a_family_that_llama_cpp_does_not_know_is_served(url: str, folder: Path) -> None:
    body = {"model": "small-geex", "prompt": "def add(a, b):", "max_tokens": 8, "temperature": 0, "logprobs": 1}
    answers = [httpx.post(f"{url}/v1/completions", json=body, timeout=60).json() for _ in range(2)]
    assert answers[0]["choices"][0]["text"] == answers[1]["choices"][0]["text"]
    assert answers[0]["usage"]["completion_tokens"] == 8
    infill = {"model": "small-geex", "prompt": "def add(a, b):\n    ", "suffix": "\n    return c\n", "max_tokens": 8}
    assert httpx.post(f"{url}/v1/completions", json=infill, timeout=60).json()["choices"][0]["finish_reason"]
    models = httpx.get(f"{url}/v1/models", timeout=60).json()
    assert models["data"][0]["id"] == "small-geex"


def test_complete_and_sample(tabwright: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def add(a, b):\n    return ")
    done = tabwright("complete", "--engine", "torch", "--model", str(folder), "--max-tokens", "4", "a.py")
    assert done.returncode == 0, done.stderr
    problem = {"task_id": "t/1", "prompt": "def f(x):\n", "entry_point": "f", "test": "def check(f):\n    f(1)\n"}
    (tmp_path / "tiny.jsonl").write_text(json.dumps(problem) + "\n")
    arguments = ("--benchmark", "tiny.jsonl", "--style", "completion", "--max-tokens", "5", "--context", "512")
    done = tabwright("sample", "--engine", "torch", "--model", str(folder), *arguments)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "samples.jsonl").read_text())["n_tokens"] >= 1
    done = tabwright("sample", "--engine", "torch", "--quantize", "8", "--model", str(folder), *arguments)
    assert done.returncode == 2
    assert "made with other settings (engine 'torch', now 'torch, 8 bits')" in done.stderr
    (tmp_path / "tiny.jsonl").write_text(json.dumps({**problem, "test": "def check(f):\n    pass\n"}) + "\n")
    done = tabwright("sample", "--engine", "torch", "--model", str(folder), *arguments)
    assert done.returncode == 2
    assert "made with other settings (problems '" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "nothing"), "nothing"),
        (("--quantize", "3"), "--quantize 3: give 4 or 8"),
        (("--engine", "llama.cpp", "--device", "cuda:0"), "--device cuda:0: is for --engine torch"),
        (("--device", "cuda:7"), "cannot be run on cuda:7"),
        (("--device", "toaster"), "device: got 'toaster'; give cpu, cuda or cuda:0"),
    ],
)
def test_wrong_arguments_are_one_line(tabwright: Run, folder: Path, arguments: tuple[str, ...], message: str) -> None:
    given = () if "--model" in arguments else ("--model", str(folder))
    done = tabwright("serve", "--engine", "torch", "--port", "0", *given, *arguments)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
