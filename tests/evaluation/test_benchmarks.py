"""Benchmarks are found where the user keeps them; what is wrong is named with its place and the remedy."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tabwright.evaluation import load_benchmark
from tabwright.records import RecordError

ROW = {"task_id": "t/0", "prompt": "def f():\n", "entry_point": "f", "test": "def check(c): assert c() == 1"}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TABWRIGHT_BENCHMARKS", raising=False)


def test_the_users_own_file(tmp_path: Path) -> None:
    problems = load_benchmark(str(write(tmp_path / "mine.jsonl", ROW)))
    assert problems["t/0"].entry_point == "f"


def test_places_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def put(folder: str) -> Path:
        return write(tmp_path / folder / "HumanEval.jsonl.gz", ROW | {"task_id": folder}).parent

    def fetch(file: str) -> Path:
        return put("fetched") / file

    def found(**places: Any) -> str:
        return next(iter(load_benchmark("humaneval", fetch=fetch, **places)))

    assert found() == "fetched"
    assert found(cache=tmp_path / "absent") == "fetched"
    assert found(cache=put("cache")) == "cache"
    monkeypatch.setenv("TABWRIGHT_BENCHMARKS", str(put("environment")))
    assert found(cache=tmp_path / "cache") == "environment"
    assert found(directory=put("directory")) == "directory"


def test_a_row_of_humanevalx_becomes_a_problem(tmp_path: Path) -> None:
    row = {
        "task_id": "Python/0",
        "prompt": "def g(x):\n    return x\n\n\ndef f(x):\n",
        "declaration": "def g(x):\n    return x\n\n\ndef f(x):\n",
        "canonical_solution": "    return g(x)\n",
        "test": "def check(f):\n    assert f(1) == 1\n\ncheck(f)",
    }
    write(tmp_path / "humanevalx_python.jsonl.gz", row)
    problem = load_benchmark("humanevalx-python", directory=tmp_path)["Python/0"]
    assert problem.entry_point == "f"
    assert problem.test == "def check(f):\n    assert f(1) == 1\n"
    write(tmp_path / "humanevalx_python.jsonl.gz", row | {"declaration": "x = 1\n"})
    with pytest.raises(RecordError, match="record 1: declaration must define a function"):
        load_benchmark("humanevalx-python", directory=tmp_path)


def test_errors_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="'humanevil' is unknown; known are humaneval"):
        load_benchmark("humanevil")
    with pytest.raises(RecordError, match="--benchmarks DIR or TABWRIGHT_BENCHMARKS"):
        load_benchmark("humaneval")
    with pytest.raises(RecordError, match=r"HumanEval.jsonl.gz: no such file; put it there"):
        load_benchmark("humaneval", directory=tmp_path)
    with pytest.raises(RecordError, match="no problems in it"):
        load_benchmark(str(write(tmp_path / "empty.jsonl")))
    with pytest.raises(RecordError, match=r"record 2: .*'test'"):
        load_benchmark(str(write(tmp_path / "a.jsonl", ROW, {k: ROW[k] for k in ROW if k != "test"})))
    with pytest.raises(RecordError, match="record 1: prompt must be a string, got "):
        load_benchmark(str(write(tmp_path / "b.jsonl", ROW | {"prompt": 3})))
    with pytest.raises(RecordError, match="'t/0' occurs twice"):
        load_benchmark(str(write(tmp_path / "c.jsonl", ROW, ROW)))
    whole = write(tmp_path / "d.jsonl", ROW).read_text()
    (tmp_path / "d.jsonl").write_text(f'{whole}{{"task_id": "t/1", "pro')
    with pytest.raises(RecordError, match="last line is cut short"):
        load_benchmark(str(tmp_path / "d.jsonl"))
