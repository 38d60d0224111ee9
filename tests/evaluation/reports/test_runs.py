"""Files -> runs: recipes, names, scores beside samples and samples beside scores, and what is wrong with them."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tabwright.evaluation.reports import label_files, read_recipe, read_run, scores_beside
from tabwright.records import RecordError

SAMPLES = [{"task_id": "a", "completion": "one"}, {"task_id": "a", "completion": "two"}]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def scored(path: Path, samples: Path, *, n: int = 2, task: str = "a", of: int = 0) -> Path:
    digest = hashlib.sha256(samples.read_bytes()).hexdigest()
    header = {"samples": digest, "problems": "p", "settings": {}, "n_samples": of}
    rows = [{"task_id": task, "sample_index": i, "outcome": "passed"} for i in range(n)]
    return write(path, [{"scores_of": header}, *rows])


@pytest.mark.parametrize("name", ["s.jsonl", "s.jsonl.gz"])
def test_either_file_finds_the_other(tmp_path: Path, name: str) -> None:
    samples = write(tmp_path / name, SAMPLES)
    scores = scored(scores_beside(samples), samples)
    assert scores.name == "s.scores.jsonl"
    (tmp_path / f"{name}.recipe.json").write_text('{"temperature": 0.5}')
    for path in (samples, scores):
        run = read_run(path, "x")
        assert run.samples is not None
        assert [sample.completion for sample in run.samples] == ["one", "two"]
        assert (run.temperature, len(run.scores), run.report.sampled) == (0.5, 2, 1)


def test_scores_whose_samples_are_not_here_are_a_run_without_them(tmp_path: Path) -> None:
    samples = write(tmp_path / "s.jsonl", SAMPLES)
    scores = scored(tmp_path / "s.scores.jsonl", samples)
    write(samples, SAMPLES[:1])
    run = read_run(scores, "x")
    assert (run.samples, dict(run.recipe)) == (None, {})


def test_scores_that_are_cut_between_two_lines_are_found_out_without_their_samples(tmp_path: Path) -> None:
    samples = write(tmp_path / "s.jsonl", SAMPLES)
    scores = scored(tmp_path / "s.scores.jsonl", samples, n=1, of=2)
    samples.unlink()
    with pytest.raises(RecordError, match="not every sample has a score yet"):
        read_run(scores, "x")


def test_wrong_files_are_named(tmp_path: Path) -> None:
    samples = write(tmp_path / "s.jsonl", SAMPLES)
    with pytest.raises(RecordError, match=r"s\.jsonl: has no scores beside it; make them with `tabwright evaluate"):
        read_run(samples, "x")
    scores = scored(tmp_path / "s.scores.jsonl", samples, n=1)
    with pytest.raises(RecordError, match="not every sample has a score yet; go on with `tabwright evaluate`"):
        read_run(scores, "x")
    scored(scores, samples, task="b")
    with pytest.raises(RecordError, match="its scores are not those of the samples"):
        read_run(scores, "x")
    write(samples, SAMPLES[:1])
    with pytest.raises(RecordError, match=r"holds scores of other samples; score .*s\.jsonl afresh"):
        read_run(samples, "x")
    with pytest.raises(RecordError, match=r"none\.jsonl: no such file"):
        read_run(tmp_path / "none.jsonl", "x")
    (tmp_path / "notes.txt").write_text("hello\n")
    with pytest.raises(RecordError, match=r"notes\.txt, line 1: not JSON"):
        read_run(tmp_path / "notes.txt", "x")


def test_names_are_short_where_that_is_clear() -> None:
    assert label_files([Path("x/a.jsonl"), Path("y/b.jsonl.gz"), Path("c.scores.jsonl")]) == ["a", "b", "c"]
    assert label_files([Path("x/a.jsonl"), Path("y/a.jsonl")]) == ["x/a.jsonl", "y/a.jsonl"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "not a recipe; mend or remove it"),
        ("{", "not a recipe; mend or remove it"),
        ('{"temperature": NaN}', "not a recipe; mend or remove it"),
        ('{"top_p": 1e999}', "not a recipe; mend or remove it"),
        ('{"temperature": "hot"}', "temperature must be between 0 and 100, got 'hot'"),
        ('{"temperature": true}', "temperature must be between 0 and 100, got True"),
        ('{"benchmark": []}', r"benchmark must be a name, got \[\]"),
        ('{"temperature": -1}', "temperature must be between 0 and 100, got -1"),
    ],
)
def test_wrong_recipes_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "s.jsonl.recipe.json").write_text(text)
    with pytest.raises(RecordError, match=rf"s\.jsonl\.recipe\.json: {message}"):
        read_recipe(tmp_path / "s.jsonl")


def test_no_recipe_is_no_error(tmp_path: Path) -> None:
    assert read_recipe(tmp_path / "s.jsonl") == {}
