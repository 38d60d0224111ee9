"""Records and their JSON Lines files: what is written is read again, and what is broken is named by its line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tabwright.records import Problem, RecordError, Sample, Score, read_records, read_rows, write_rows


def test_records_come_back_as_they_went(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    samples = [
        Sample(task_id="T/0", completion="    return 'é\u2028'\n", mean_logprob=-0.5, n_tokens=4, finish_reason="stop"),
        Sample(task_id="T/1", completion=""),
    ]
    write_rows(path, (sample.to_mapping() for sample in samples))
    assert list(read_records(path, Sample)) == samples
    assert [row.name for row in tmp_path.iterdir()] == ["samples.jsonl"]


def test_keys_of_other_tools_are_passed_over_and_missing_ones_are_named(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text('{"task_id": "T/0", "completion": "x", "passed": true, "result": "passed"}\n{"task_id": "T/1"}\n')
    records = read_records(path, Sample)
    assert next(records) == Sample(task_id="T/0", completion="x")
    with pytest.raises(RecordError, match=r"record 2: .*completion"):
        next(records)


def test_gzip_is_read_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "problems.jsonl.gz"
    row = {"task_id": "T/0", "prompt": "p", "entry_point": "f", "test": "t"}
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    assert list(read_records(path, Problem)) == [Problem(task_id="T/0", prompt="p", entry_point="f", test="t")]


def test_a_torn_last_line_is_passed_over_and_a_broken_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n\n{"a": 2}\n{"a": ')
    assert list(read_rows(path)) == [{"a": 1}, {"a": 2}]
    path.write_text('{"a": 1}\n{"a": \n{"a": 2}\n')
    with pytest.raises(RecordError, match="line 2: not JSON"):
        list(read_rows(path))
    path.write_text("[" * 100_000 + "\n")
    with pytest.raises(RecordError, match="line 1: not JSON"):
        list(read_rows(path))
    path.write_text("[1]\n")
    with pytest.raises(RecordError, match="line 1: expected a JSON object, got list"):
        list(read_rows(path))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"task_id": 1}, "task_id must be a string, got 1"),
        ({"mean_logprob": float("nan")}, "mean_logprob must be a finite number or null, got nan"),
        ({"mean_logprob": 10**400}, "mean_logprob must be a finite number or null, got 1000"),
        ({"mean_logprob": True}, "mean_logprob must be a finite number or null, got True"),
        ({"n_tokens": 1.5}, "n_tokens must be a whole number or null, got 1.5"),
    ],
)
def test_values_of_another_type_are_named(tmp_path: Path, row: dict[str, object], message: str) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(json.dumps({"task_id": "T/0", "completion": "x", "mean_logprob": -1} | row) + "\n")
    with pytest.raises(RecordError, match=f"record 1: {message}"):
        list(read_records(path, Sample))


def test_rows_before_the_records_are_passed_over_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text('{"header": 1}\n{"task_id": "T/0", "completion": "x"}\n{"task_id": "T/1"}\n')
    records = read_records(path, Sample, skip=1)
    assert next(records).task_id == "T/0"
    with pytest.raises(RecordError, match="record 3: "):
        next(records)


@pytest.mark.parametrize("name", ["none.jsonl", "broken.jsonl.gz", "torn.jsonl.gz"])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.jsonl.gz").write_bytes(b"not gzip")
    (tmp_path / "torn.jsonl.gz").write_bytes(gzip.compress(b"{}\n")[:10] + b"\xff" * 20)
    with pytest.raises(RecordError, match=name):
        list(read_rows(tmp_path / name))


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, [{"a": 1}])
    with pytest.raises(TypeError):
        write_rows(path, [{"a": 2}, {"a": object()}])
    assert list(read_rows(path)) == [{"a": 1}]
    assert [row.name for row in tmp_path.iterdir()] == ["rows.jsonl"]


def test_only_the_outcome_passed_is_a_pass() -> None:
    assert Score(task_id="T/0", sample_index=0, outcome="passed").passed
    assert not Score(task_id="T/0", sample_index=0, outcome="timeout").passed
