"""Scoring a file with real workers: streamed, resumed, watched; wrong files are named with their place."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tabwright.evaluation import ScoringSettings, read_samples, read_scores, score_samples
from tabwright.evaluation.pool import Job, Pool
from tabwright.records import Problem, RecordError, Score
from tabwright.sandbox import Limits, SandboxError
from tabwright.sandbox.scratch import ScratchFolder

SOURCE = str(Path(__file__).parents[2] / "src")
PROBLEMS = {
    f"t/{i}": Problem(
        task_id=f"t/{i}", prompt="def f(x):\n", entry_point="f", test=f"def check(c):\n    assert c(1) == {i}\n"
    )
    for i in range(4)
}
FAST = ScoringSettings(timeout_s=1.0)


def rows(n: int = 8) -> list[dict[str, Any]]:
    return [{"task_id": f"t/{i % 4}", "completion": f"    return {i}\n"} for i in range(n)]


def write(path: Path, samples: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in samples), encoding="utf-8")
    return path


def test_scores_come_in_order_with_what_the_samples_say(tmp_path: Path) -> None:
    samples = rows()
    samples[0] |= {"mean_logprob": -0.25, "n_tokens": 7, "finish_reason": "stop", "extra": [1]}
    seen: list[tuple[int, int]] = []

    def on_score(score: Score, done: int, total: int) -> None:
        seen.append((done, total))

    out = tmp_path / "scores.jsonl"
    scores = score_samples(
        write(tmp_path / "s.jsonl", samples), PROBLEMS, out, settings=FAST, workers=2, on_score=on_score
    )
    assert [score.outcome for score in scores] == ["passed"] * 4 + ["failed"] * 4
    assert [score.sample_index for score in scores] == list(range(8))
    assert (scores[0].mean_logprob, scores[0].n_tokens) == (-0.25, 7)
    assert scores[4].error == "AssertionError"
    assert seen == [(i, 8) for i in range(1, 9)]
    header, again = read_scores(out)
    assert again == scores
    assert header.settings["timeout_s"] == 1.0
    assert header.layers["seccomp"] == ""


def test_what_a_program_writes_is_kept_its_middle_left_out(tmp_path: Path) -> None:
    quiet = {"task_id": "t/1", "completion": "    return 1\n"}
    long = "    print('a' * 3000 + '\\x1b[31m\\u202e\\x9b' + 'z' * 3000)\n"
    loud = {"task_id": "t/1", "completion": long + "    return 1\n"}
    odd = {"task_id": "t/1", "completion": "    print('\\x1b[31m\\u202e\\x9b\\0')\n    return 1\n"}
    out = tmp_path / "o.jsonl"
    scores = score_samples(write(tmp_path / "s.jsonl", [quiet, loud, odd]), PROBLEMS, out, settings=FAST, workers=1)
    assert scores[0].output == ""
    assert scores[1].output == "a" * 1000 + "\n[... 4,008 characters left out ...]\n" + "z" * 999 + "\n"
    assert scores[2].output == "\x1b[31m\u202e\x9b\0\n"
    text = out.read_text("utf-8")
    assert all(c.isprintable() or c == "\n" for c in text), "a terminal must be able to show the file"
    assert read_scores(out)[1] == scores


def test_scores_from_before_outputs_were_kept_are_gone_on_with(tmp_path: Path) -> None:
    samples, out = write(tmp_path / "s.jsonl", rows(1)), tmp_path / "o.jsonl"
    score_samples(samples, PROBLEMS, out, settings=FAST)
    header, score = (json.loads(line) for line in out.read_text().splitlines())
    del score["output"]
    write(out, [header, score])
    assert score_samples(samples, PROBLEMS, out, settings=FAST)[0].output is None


def test_openai_result_files_are_samples(tmp_path: Path) -> None:
    row = {"task_id": "t/1", "completion": "    return 1\n", "result": "passed", "passed": True}
    scores = score_samples(write(tmp_path / "s.jsonl", [row]), PROBLEMS, tmp_path / "o.jsonl", settings=FAST)
    assert scores[0].passed


def test_goes_on_where_it_stopped(tmp_path: Path) -> None:
    samples, out = write(tmp_path / "s.jsonl", rows()), tmp_path / "o.jsonl"

    def stop(score: Score, done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_samples(samples, PROBLEMS, out, settings=FAST, workers=1, on_score=stop)
    kept = out.read_bytes()
    out.write_bytes(kept + b'{"task_id": "t/3", "sample_in')  # what a writer leaves that is killed in a line
    new: list[int] = []
    scores = score_samples(
        samples, PROBLEMS, out, settings=FAST, on_score=lambda score, done, total: new.append(score.sample_index)
    )
    assert sorted(new) == [3, 4, 5, 6, 7]
    assert len(scores) == 8
    assert out.read_bytes().startswith(kept)
    assert read_scores(out)[1] == scores


def test_kill_9_loses_nothing_and_scores_nothing_twice(tmp_path: Path) -> None:
    slow = [{"task_id": "t/1", "completion": f"    import time; time.sleep(0.1)\n    return {i}\n"} for i in range(30)]
    samples, out = write(tmp_path / "s.jsonl", slow), tmp_path / "o.jsonl"
    problem = PROBLEMS["t/1"].to_mapping()
    code = (
        "from pathlib import Path\nfrom tabwright.evaluation import *\nfrom tabwright.records import Problem\n"
        f"score_samples(Path({str(samples)!r}), {{'t/1': Problem(**{problem!r})}}, Path({str(out)!r}), workers=1)\n"
    )
    scorer = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": SOURCE})
    deadline = time.monotonic() + 30
    while (not out.exists() or out.read_bytes().count(b"\n") < 5) and time.monotonic() < deadline:
        time.sleep(0.02)
    scorer.send_signal(signal.SIGKILL)
    scorer.wait()
    done = {score.sample_index for score in read_scores(out)[1]}
    assert 4 <= len(done) < 30
    new: list[int] = []
    scores = score_samples(
        samples,
        {"t/1": PROBLEMS["t/1"]},
        out,
        on_score=lambda score, count, total: new.append(score.sample_index),
    )
    assert sorted(new) == sorted(set(range(30)) - done)
    assert [score.sample_index for score in scores if score.passed] == [1]


@pytest.mark.parametrize("changed", ["samples", "problems", "settings"])
def test_other_samples_problems_or_settings_are_noticed(tmp_path: Path, changed: str) -> None:
    samples, out = write(tmp_path / "s.jsonl", rows(1)), tmp_path / "o.jsonl"
    score_samples(samples, PROBLEMS, out, settings=FAST)
    problems, settings = PROBLEMS, FAST
    if changed == "samples":
        write(samples, rows(2))
    elif changed == "problems":
        problems = {name: PROBLEMS[name] for name in ("t/0", "t/1")}
    else:
        settings = ScoringSettings(timeout_s=2.0)
    with pytest.raises(RecordError, match=f"holds scores of other {changed}; .*--fresh"):
        score_samples(samples, problems, out, settings=settings)
    assert score_samples(samples, problems, out, settings=settings, fresh=True)[0].passed


def test_a_file_that_holds_something_else_is_not_touched(tmp_path: Path) -> None:
    samples, out = write(tmp_path / "s.jsonl", rows(1)), write(tmp_path / "o.jsonl", rows(1))
    before = out.read_bytes()
    with pytest.raises(RecordError, match="not a file of scores"):
        score_samples(samples, PROBLEMS, out, settings=FAST)
    assert out.read_bytes() == before
    notes = tmp_path / "notes.txt"
    notes.write_text("no newline at its end")
    with pytest.raises(RecordError):
        score_samples(samples, PROBLEMS, notes, settings=FAST)
    assert notes.read_text() == "no newline at its end"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"task_id": "t/9", "completion": ""}, "record 2: task_id 't/9' is not in the benchmark"),
        ({"task_id": "t/1"}, "record 2: .*'completion'"),
        ({"task_id": "t/1", "completion": None}, "record 2: completion must be a string, got None"),
        (
            {"task_id": "t/1", "completion": "", "n_tokens": "7"},
            "record 2: n_tokens must be a whole number or null, got '7'",
        ),
    ],
)
def test_wrong_samples_are_named(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message):
        read_samples(write(tmp_path / "s.jsonl", [*rows(1), row]), PROBLEMS)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"outcome": "banana"}, "record 2: outcome must be passed or failed or .*, got 'banana'"),
        ({"outcome": None}, "record 2: outcome must be .*, got None"),
        ({"sample_index": "0"}, "record 2: sample_index must be a whole number, got '0'"),
        ({"sample_index": True}, "record 2: sample_index must be a whole number, got True"),
        ({"sample_index": 1}, "sample_index 1 is not a sample of 't/0'; .*--fresh"),
        ({"sample_index": -1}, r"sample_index -1 is below 0; score afresh \(--fresh\)"),
        ({"task_id": "t/1"}, "sample_index 0 is not a sample of 't/1'; .*--fresh"),
        ({"mean_logprob": float("inf")}, "record 2: mean_logprob must be a finite number or null, got inf"),
    ],
)
def test_wrong_scores_are_named(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    samples, out = write(tmp_path / "s.jsonl", rows(1)), tmp_path / "o.jsonl"
    score_samples(samples, PROBLEMS, out, settings=FAST)
    header, score = (json.loads(line) for line in out.read_text().splitlines())
    write(out, [header, score | changed])
    with pytest.raises(RecordError, match=message):
        score_samples(samples, PROBLEMS, out, settings=FAST)


def test_a_sample_that_is_scored_twice_is_named(tmp_path: Path) -> None:
    samples, out = write(tmp_path / "s.jsonl", rows(2)), tmp_path / "o.jsonl"
    score_samples(samples, PROBLEMS, out, settings=FAST)
    header, first, _ = (json.loads(line) for line in out.read_text().splitlines())
    write(out, [header, first, first])
    with pytest.raises(RecordError, match=r"o.jsonl: sample_index \d is scored twice; score afresh \(--fresh\)"):
        read_scores(out)


def test_headers_of_other_versions(tmp_path: Path) -> None:
    samples, out = write(tmp_path / "s.jsonl", rows(1)), tmp_path / "o.jsonl"
    scores = score_samples(samples, PROBLEMS, out, settings=FAST)
    header, score = (json.loads(line) for line in out.read_text().splitlines())
    inner = header["scores_of"]
    write(out, [{"scores_of": inner | {"new": 1}}, score])
    assert read_scores(out)[1] == scores
    write(out, [{"scores_of": {key: value for key, value in inner.items() if key != "settings"}}, score])
    with pytest.raises(RecordError, match=r"o.jsonl, header: .*'settings'"):
        read_scores(out)
    write(out, [{"scores_of": inner | {"settings": [1]}}, score])
    with pytest.raises(RecordError, match=r"o.jsonl, header: settings must be an object, got \[1\]"):
        read_scores(out)


def test_settings_out_of_range_are_named(tmp_path: Path) -> None:
    samples, out = write(tmp_path / "s.jsonl", rows(1)), tmp_path / "o.jsonl"
    with pytest.raises(RecordError, match="timeout_s: got inf, must be at most 86400"):
        score_samples(samples, PROBLEMS, out, settings=ScoringSettings(timeout_s=float("inf")))
    assert not out.exists()


def test_one_scorer_at_a_time(tmp_path: Path) -> None:
    samples, out = write(tmp_path / "s.jsonl", rows(2)), tmp_path / "o.jsonl"

    def second(score: Score, done: int, total: int) -> None:
        with pytest.raises(RecordError, match="another process is scoring into it"):
            score_samples(samples, PROBLEMS, out, settings=FAST)

    assert len(score_samples(samples, PROBLEMS, out, settings=FAST, workers=1, on_score=second)) == 2


def test_a_run_that_could_not_begin_leaves_no_file(tmp_path: Path) -> None:
    samples, out = write(tmp_path / "s.jsonl", rows(2)), tmp_path / "o.jsonl"
    with pytest.raises(SandboxError, match="nosuch"):
        score_samples(samples, PROBLEMS, out, settings=ScoringSettings(packages=("nosuch",)))
    assert not out.exists()


def test_workers_that_die_are_replaced() -> None:
    problem = PROBLEMS["t/1"]
    with Pool(2, limits=Limits(timeout_s=1.0)) as pool:
        verdicts = {}
        jobs = (Job(index=i, problem=problem, completion=f"    return {i}\n") for i in range(12))
        for index, verdict in pool.run(jobs):
            verdicts[index] = verdict.outcome
            if index in (3, 7):
                pool._workers[0].process.kill()
    assert verdicts == {i: "passed" if i == 1 else "failed" for i in range(12)}


def test_a_test_that_kills_its_worker_is_a_crash() -> None:
    deadly = Problem(task_id="d", prompt="def f(x):\n", entry_point="f", test="import os\nos._exit(3)\n")
    with Pool(1, limits=Limits(timeout_s=1.0)) as pool:
        jobs = [Job(index=i, problem=p, completion="    return 1\n") for i, p in enumerate([deadly, PROBLEMS["t/1"]])]
        verdicts = dict(pool.run(jobs))
    assert (verdicts[0].outcome, verdicts[1].outcome) == ("crashed", "passed")


def test_a_test_that_needs_too_much_memory_does_not_take_the_machine_with_it() -> None:
    big = "def check(c):\n    assert len(bytearray(6 << 30)) == 6 << 30\n"
    greedy = Problem(task_id="g", prompt="def f(x):\n", entry_point="f", test=big)
    with Pool(1, limits=Limits(timeout_s=1.0)) as pool:
        verdicts = dict(pool.run([Job(index=0, problem=greedy, completion="    return 1\n")]))
    assert (verdicts[0].outcome, verdicts[0].error) == ("memory", "MemoryError")


def test_an_error_that_cannot_be_written_out_does_not_end_its_worker() -> None:
    unprintable = Problem(
        task_id="u", prompt="def f(x):\n", entry_point="f", test="def check(c):\n    assert False, c(1)\n"
    )
    with Pool(1, limits=Limits(timeout_s=1.0)) as pool:
        verdicts = dict(pool.run([Job(index=0, problem=unprintable, completion="    return 1 << 20000\n")]))
    assert (verdicts[0].outcome, verdicts[0].error) == ("failed", "AssertionError")


def test_a_faulty_test_is_an_error_or_as_published_a_failure() -> None:
    faulty = Problem(task_id="x", prompt="def f(x):\n", entry_point="f", test="def check(:\n")
    with Pool(1, limits=Limits(timeout_s=1.0)) as pool:
        job = Job(index=0, problem=faulty, completion="    return 1\n", as_published=True)
        ((_, verdict),) = pool.run([job])
        assert verdict.outcome == "failed"
        assert str(verdict.error).startswith("cannot be judged: x: its test does not compile: invalid syntax")
        with pytest.raises(RecordError, match="its test does not compile"):
            list(pool.run([replace(job, as_published=False)]))
        assert [v.outcome for _, v in pool.run([replace(job, problem=PROBLEMS["t/1"])])] == ["passed"]


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, living = ScratchFolder(), ScratchFolder()
    os.close(dead._lock)  # as when its scorer is killed
    (dead.path / "left").touch()
    with Pool(1, limits=Limits(timeout_s=1.0)):
        assert not dead.path.exists()
        assert living.path.exists()
    living.close()
    assert not list(tmp_path.iterdir())
