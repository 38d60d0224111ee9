"""`tabwright evaluate` of several files, and `tabwright compare`: tables, JSON, the page, and wrong arguments."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

PROBLEMS = [
    {"task_id": f"t/{i}", "prompt": "", "entry_point": "f", "test": f"def check(f):\n    assert f(1) == {i}\n"}
    for i in range(4)
]
TINY = ("--benchmark", "tiny.jsonl")
CONTROL = "\x1b]0;PWNED\x07"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def sample(i: int, answer: int) -> dict[str, Any]:
    return {"task_id": f"t/{i}", "completion": f"def f(x):\n    return {answer}\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files of two samples a problem: the cold one solves problems 0 and 1, the hot one all with every second."""
    write(tmp_path / "tiny.jsonl", PROBLEMS)
    write(tmp_path / "cold.jsonl", [sample(i, i if i < 2 else 9) for i in range(4) for _ in range(2)])
    write(tmp_path / "hot.jsonl", [sample(i, i if j else 9) for i in range(4) for j in range(2)])
    for name, temperature in (("cold", 0.2), ("hot", 0.8)):
        recipe = {"temperature": temperature, "model": "m"}
        (tmp_path / f"{name}.jsonl.recipe.json").write_text(json.dumps(recipe))
    return tmp_path


def test_one_file_gives_a_table_and_a_page_and_json_keeps_its_fields(tabwright: Run, folder: Path) -> None:
    done = tabwright("evaluate", "cold.jsonl", *TINY)
    assert done.returncode == 0, done.stderr
    assert "pass@1" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["scores: cold.scores.jsonl", "report: cold.report.html"]
    assert (folder / "cold.report.html").read_text().startswith("<!doctype html>")
    assert not list(folder.glob(".*.tmp"))
    before = (folder / "cold.scores.jsonl").read_bytes()
    (folder / "open-elsewhere.html").hardlink_to(folder / "cold.report.html")
    report = json.loads(tabwright("evaluate", "cold.jsonl", "--json", *TINY).stdout)
    assert (report["problems"], report["samples"], report["outcomes"]) == (4, 8, {"passed": 4, "failed": 4})
    assert report["pass_at"]["1"]["value"] == report["curve"]["2"]["value"] == 0.5
    assert report["rankings"]["oracle"] == report["rankings_at"]["oracle"]["2"] == 0.5
    assert (report["temperature"], report["scores_file"]) == (0.2, "cold.scores.jsonl")
    assert report["report_file"] == "cold.report.html"
    assert (folder / "cold.scores.jsonl").read_bytes() == before
    renamed = not (folder / "cold.report.html").samefile(folder / "open-elsewhere.html")
    assert renamed, "who reads the old page must not find half of the new one"


def test_a_last_line_that_is_cut_short_is_left_out_and_said(tabwright: Run, folder: Path) -> None:
    with (folder / "cold.jsonl").open("a") as file:
        file.write('{"task_id": "t/0", "compl')
    done = tabwright("evaluate", "cold.jsonl", *TINY)
    assert (done.returncode, "8 samples" in done.stdout) == (0, True)
    assert "note: cold.jsonl: its last line is cut short and left out" in done.stderr
    assert "cut short" not in tabwright("evaluate", "hot.jsonl", *TINY).stderr


def test_several_files_are_swept(tabwright: Run, folder: Path) -> None:
    done = tabwright("evaluate", "cold.jsonl", "hot.jsonl", "--report", "both.html", *TINY)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line in ("cold", "hot")] == ["cold", "hot"]
    assert re.search(r"temperature sweep.*│ 1 +│ 0\.2 +│ 50\.0%.*│ 2 +│ 0\.8 +│ 100\.0%", done.stdout, re.DOTALL)
    assert (folder / "both.html").exists()
    assert (folder / "hot.scores.jsonl").exists()
    report = json.loads(tabwright("evaluate", "cold.jsonl", "hot.jsonl", "--json", *TINY).stdout)
    assert [run["samples_file"] for run in report["runs"]] == ["cold.jsonl", "hot.jsonl"]
    assert [run["curve"]["2"]["value"] for run in report["runs"]] == [0.5, 1.0]
    assert report["sweep"]["best"]["2"] == {"label": "hot", "temperature": 0.8, "value": 1.0}
    assert report["report_file"] == "cold-and-1-more.report.html"


def test_compare_tells_what_flipped(tabwright: Run, folder: Path) -> None:
    assert tabwright("evaluate", "cold.jsonl", "hot.jsonl", *TINY).returncode == 0
    done = tabwright("compare", "hot.scores.jsonl", "cold.jsonl", *TINY)
    assert done.returncode == 0, done.stderr
    assert "difference: +0.0% (-50.0% to +50.0%, 95 % paired bootstrap over 4 problems)" in done.stdout
    assert "0 pass in both, 2 in neither, 2 only in B, 0 only in A; McNemar's exact test p = 0.5" in done.stdout
    assert re.search(r"│ t/0 +│ failed: AssertionError │ passed", done.stdout)
    assert "of each problem's first sample" in done.stdout
    assert done.stdout.splitlines()[-1] == "report: hot-against-cold.report.html"
    assert (folder / "hot-against-cold.report.html").exists()
    machine = json.loads(tabwright("compare", "hot.jsonl", "cold.jsonl", "--json", *TINY).stdout)
    assert (machine["gained"], machine["lost"], machine["p_value"]) == (["t/0", "t/1"], [], 0.5)
    assert machine["difference"]["value"] == 0.0
    assert machine["pass_at_1"] == [0.5, 0.5]


def test_a_run_is_not_compared_with_itself(tabwright: Run, folder: Path) -> None:
    done = tabwright("compare", "cold.jsonl", str(folder / "cold.jsonl"))
    assert (done.returncode, "cold.jsonl: is the first run itself" in done.stderr) == (2, True)


def test_compare_goes_on_without_the_benchmark_but_says_so(tabwright: Run, folder: Path) -> None:
    assert tabwright("evaluate", "cold.jsonl", "hot.jsonl", *TINY).returncode == 0
    for name in ("cold", "hot"):
        recipe = {"temperature": 0.5, "benchmark": "gone.jsonl"}
        (folder / f"{name}.jsonl.recipe.json").write_text(json.dumps(recipe))
    done = tabwright("compare", "cold.jsonl", "hot.jsonl")
    assert done.returncode == 0, done.stderr
    assert "note: the page is without prompts and tests: gone.jsonl: no such file" in done.stderr
    write(folder / "gone.jsonl", PROBLEMS[:1])
    done = tabwright("compare", "cold.jsonl", "hot.jsonl")
    assert "gone.jsonl: is not the benchmark that was scored; name it with --benchmark" in done.stderr
    assert tabwright("compare", "cold.jsonl", "hot.jsonl", "--benchmark", "gone.jsonl").returncode == 2


def test_what_files_and_programs_say_is_no_command_to_the_terminal(tabwright: Run, folder: Path) -> None:
    raising = {"task_id": "t/0", "completion": f"raise type({CONTROL!a}, (Exception,), {{}})('[red]x')\n"}
    for name in (f"a{CONTROL}.jsonl", "b.jsonl"):
        write(folder / name, [raising])
    write(folder / "b.jsonl", [sample(0, 0)])
    done = tabwright("evaluate", f"a{CONTROL}.jsonl", "b.jsonl", "--report", "r.html", *TINY)
    assert done.returncode == 0, done.stderr
    table = done.stdout.split("scores: ")[0]
    assert r"a\x1b]0;PWNED\x07" in table
    done = tabwright("compare", f"a{CONTROL}.jsonl", "b.jsonl", "--report", "c.html", *TINY)
    assert done.returncode == 0, done.stderr
    assert r"failed: \x1b]0;PWNED\x07: [red]x" in done.stdout
    assert "\x1b" not in table + done.stdout


WRONG = [
    (
        ("evaluate", "cold.jsonl", "hot.jsonl", "--out", "o.jsonl"),
        "--out o.jsonl: is for one file of samples; leave",
    ),
    (
        ("evaluate", "cold.jsonl", "./cold.jsonl"),
        "cold.jsonl: another file has its scores in cold.scores.jsonl too",
    ),
    (
        ("evaluate", "cold.jsonl", "--report", "cold.jsonl"),
        "cold.jsonl: a report is a page; choose a name that ends",
    ),
    (
        ("evaluate", "cold.jsonl", "--report", "no/x.html"),
        "no/x.html: there is no folder no; make it, or choose",
    ),
    (("evaluate", "cold.jsonl", "--out", "no/x.jsonl"), "--out no/x.jsonl: there is no folder no; make it, or choose"),
    (("evaluate", "cold.jsonl", "odd.jsonl"), "odd.jsonl.recipe.json: not a recipe; mend or remove it"),
    (
        ("compare", "cold.jsonl", "hot.jsonl"),
        "hot.jsonl: has no scores beside it; make them with `tabwright evaluate",
    ),
    (("compare", "cold.jsonl", "tiny.jsonl"), "tiny.jsonl: has no scores beside it; make them with"),
    (("compare", "cold.jsonl", "none.jsonl"), "none.jsonl: no such file"),
    (
        ("compare", "cold.jsonl", "part.jsonl"),
        "part: has no score of 't/1' and 2 more, which cold has; sample and score",
    ),
    (("compare", "cold.jsonl", "other.jsonl"), "cold and other: scored against different benchmarks"),
]


def test_wrong_arguments_are_one_line_and_change_nothing(tabwright: Run, folder: Path) -> None:
    write(folder / "odd.jsonl", [sample(0, 0)])
    (folder / "odd.jsonl.recipe.json").write_text("[]")
    write(folder / "part.jsonl", [sample(0, 0)])
    write(folder / "other.jsonl", [sample(0, 0)])
    write(folder / "other-benchmark.jsonl", PROBLEMS[:1])
    for name in ("cold", "part"):
        assert tabwright("evaluate", f"{name}.jsonl", "--workers", "1", *TINY).returncode == 0
    assert (
        tabwright("evaluate", "other.jsonl", "--workers", "1", "--benchmark", "other-benchmark.jsonl").returncode == 0
    )
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for arguments, message in WRONG:
        done = tabwright(*arguments, *TINY)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert done.stderr.splitlines()[-1].startswith(f"tabwright: {message}"), arguments
        assert "Traceback" not in done.stderr
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
