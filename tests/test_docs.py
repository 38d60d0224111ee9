"""The README tells the truth: its commands run, its files and targets exist, and it stays short."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import torch

from tabwright.tokens.shards.config import ShardsConfig
from tabwright.tokens.shards.encoding import encode_corpus
from tabwright.tokens.training import TokenizerConfig, train_tokenizer
from tests.parity import naive
from tests.parity.test_naive import CHATGLM
from tests.tokens.conftest import byte_level
from tests.tokens.shards.conftest import plant

__all__ = ["byte_level"]  # a fixture

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = [line.split("  #")[0].strip() for line in re.findall(r"^ {4}((?:make|tabwright) .*)$", README, re.MULTILINE)]
TABWRIGHT = [sys.executable, "-m", "tabwright"]


@pytest.fixture
def place(tmp_path: Path, byte_level: Path) -> Path:
    """A folder with a file to complete, samples to score, and a small model in THUDM's layout."""
    (tmp_path / "FILE.py").write_text("def add(a, b):\n    return \n\nprint(add(1, 2))\n")
    model = shutil.copytree(byte_level, tmp_path / "codegeex2-6b")
    shapes = naive.chatglm_shapes(928, 64, 2, 4, 2, 16, 64)
    torch.save(naive.random_weights(shapes, seed=1), model / "pytorch_model.bin")
    sizes = {"padded_vocab_size": 928, "hidden_size": 64, "kv_channels": 16, "ffn_hidden_size": 64, "num_layers": 2}
    sizes["seq_length"] = 512
    (model / "config.json").write_text(json.dumps(CHATGLM | sizes))
    return tmp_path


def environment() -> dict[str, str]:
    return os.environ | {"TABWRIGHT_MODEL": "smollm2-135m", "KEY": "secret", "PYTHONWARNINGS": "error"}


def write_samples(path: Path) -> None:
    path.write_text('{"task_id": "HumanEval/53", "completion": "    return x + y\\n"}\n')


def write_model(place: Path) -> None:
    command = next(command for command in COMMANDS if "models import" in command)
    subprocess.run([*TABWRIGHT, *arguments(command)], cwd=place, capture_output=True, timeout=200, check=True)


def arguments(command: str) -> list[str]:
    filled = command.replace("FILE", "FILE.py").replace("LINE:COL", "2:12").replace('"$KEY"', "secret")
    return shlex.split(filled)[1:]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(process: subprocess.Popen[str], url: str) -> None:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[0]
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not become ready")


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


def start(command: list[str], cwd: Path, started: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment() | ({"PYTHONWARNINGS": "default"} if command[0] == "make" else {}),  # pip has its own
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    started.append(process)
    return process


def write_sources(place: Path) -> None:
    shutil.copytree(ROOT / "recipes", place / "recipes")
    (place / "repository").mkdir()
    (place / "repository" / "code.py").write_text("# SPDX-License-Identifier: MIT\n" + "def f(x): return x\n" * 5)
    with tarfile.open(place / "sdist.tar.gz", "w:gz") as archive:
        archive.add(place / "repository" / "code.py", "pkg-1.0/code.py")


def write_corpus(place: Path, wanted: str) -> None:
    """Make what a command of `tokens` begins with: a corpus, and a tokenizer and shards of it."""
    texts = [path.read_text() for path in sorted(Path(json.__file__).parents[1].glob("*.py"))]
    plant(place / "corpus", texts, size=100)
    shutil.copytree(ROOT / "recipes", place / "recipes")
    if wanted != "train":
        train_tokenizer(TokenizerConfig(vocab_size=2000, languages=("Python",)), texts[:20], place / "tokenizer")
    if wanted == "inspect":
        encode_corpus(ShardsConfig(header="path"), place / "tokenizer", [place / "corpus"], place / "shards")


@pytest.mark.usefixtures("smollm2")
@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("tabwright") and " serve" not in c])
def test_commands_of_the_readme_run(command: str, place: Path) -> None:
    words = arguments(command)
    if words[0] == "sample":
        words += ["--limit", "2", "--max-tokens", "16"]
    if words[0] == "evaluate":
        write_samples(place / "samples.jsonl")
    if words[0] == "compare":
        for name in words[1:]:
            write_samples(place / name)
            evaluate = [*TABWRIGHT, "evaluate", name]
            subprocess.run(evaluate, cwd=place, env=environment(), capture_output=True, timeout=200, check=True)
    if words[:2] == ["models", "export"]:
        write_model(place)
    if words[:2] == ["corpus", "build"]:
        write_sources(place)
    if words[0] == "tokens":
        write_corpus(place, words[1])
    if words[0] == "ask":
        words += ["--max-tokens", "16"]
    result = subprocess.run(
        [*TABWRIGHT, *words], cwd=place, env=environment(), capture_output=True, text=True, timeout=200, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


@pytest.mark.usefixtures("smollm2")
@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("tabwright serve --port")])
def test_the_server_of_the_readme_starts(
    command: str, place: Path, port: int, started: list[subprocess.Popen[str]]
) -> None:
    words = arguments(command)
    words[words.index("--port") + 1] = str(port)
    url = f"http://127.0.0.1:{port}"
    wait_until_ready(start([*TABWRIGHT, *words], place, started), url)
    assert httpx.get(f"{url}/v1/models").status_code == 401
    assert httpx.get(f"{url}/v1/models", headers={"Authorization": "Bearer secret"}).status_code == 200


@pytest.mark.usefixtures("smollm2")
def test_make_run_serves_the_page_and_completions(port: int, started: list[subprocess.Popen[str]]) -> None:
    process = start(["make", "run", f"PORT={port}"], ROOT, started)
    url = f"http://127.0.0.1:{port}"
    wait_until_ready(process, url)
    assert "<title>" in httpx.get(url).text
    body = {"prompt": "import numpy as", "max_tokens": 2, "temperature": 0}
    assert httpx.post(f"{url}/v1/completions", json=body, timeout=60).json()["choices"][0]["text"].strip() == "np"


def test_the_python_of_the_readme_runs(place: Path) -> None:
    write_model(place)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", f"import tabwright\n{code}"], cwd=place, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout) > 10


def test_make_targets_of_the_readme_exist() -> None:
    for command in (command for command in COMMANDS if command.startswith("make")):
        subprocess.run(["make", "--dry-run", command.split()[1]], cwd=ROOT, check=True, capture_output=True)


def test_the_readme_has_commands_to_run_and_stays_short() -> None:
    assert len([command for command in COMMANDS if command.startswith("tabwright")]) >= 6
    assert {"make run", "make test"} <= {" ".join(command.split()[:2]) for command in COMMANDS}
    assert README.count("\n") <= 150


@pytest.mark.parametrize("path", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=lambda path: path.name)
def test_files_that_the_documents_name_exist(path: Path) -> None:
    text = path.read_text()
    names = re.findall(r"`((?:docs|src|tests|web|benchmarks|recipes)/[\w./-]+)`", text)
    names += re.findall(r"\]\(([\w./-]+)\)", text)
    for name in names:
        found = (ROOT / name).exists() or (path.parent / name).exists() or (ROOT / "src/tabwright" / name).exists()
        assert found, f"{path.name} names {name}, which does not exist"
