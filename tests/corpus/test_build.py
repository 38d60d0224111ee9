"""Builds as a person runs them: from the command line, interrupted, resumed, twice, onto what is there already."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tabwright.corpus import CorpusConfig, CorpusError
from tabwright.corpus.build import build_corpus
from tests.corpus.conftest import MIT, function

RECIPE = """\
[corpus]
rules = ["readable", "size", "language", "licence", "generated", "lines", "characters"]
languages = ["Python"]
partition_bytes = 10_000
"""
PARTITION = 10_000  # about one for each folder of `sources`, and across their borders
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """Return folders of files; some files stand in several."""
    folders = []
    for number in range(6):
        folder = tmp_path / "sources" / f"s{number}"
        folder.mkdir(parents=True)
        (folder / "LICENSE").write_text(MIT)
        for at in range(20):
            name = f"f{number // 2 if at < 5 else number}_{at}"
            (folder / f"{name}.py").write_text(function(name))
        folders.append(folder)
    return folders


@pytest.fixture
def command(tmp_path: Path, sources: list[Path]) -> list[str]:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)
    return [
        sys.executable, "-m", "tabwright", "corpus", "build", "--recipe", str(recipe), "--to", str(tmp_path / "corpus"),
        "--workers", "2", "--from", *map(str, sources),
    ]  # fmt: skip


def contents(folder: Path) -> dict[str, str]:
    """Return the digest of each file that a build leaves, but for the recipe, which names the sources."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_build_in_processes_gives_the_same_bytes_as_one_in_none(
    tmp_path: Path, sources: list[Path], command: list[str]
) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "same text" in done.stdout
    config = CorpusConfig(
        rules=("readable", "size", "language", "licence", "generated", "lines", "characters"),
        languages=("Python",),
        partition_bytes=PARTITION,
    )
    report = build_corpus(config, [str(source) for source in sources], tmp_path / "other")
    assert contents(tmp_path / "corpus") == contents(tmp_path / "other")
    assert report.documents == 120 - 3 * 5
    assert len(list((tmp_path / "corpus" / "documents").iterdir())) > 6
    assert report.rules["same text"].dropped == 15


def test_a_build_that_was_killed_goes_on_where_it_was(tmp_path: Path, command: list[str]) -> None:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    cleaned = tmp_path / "corpus" / ".work" / "cleaned"
    deadline = time.monotonic() + 60
    while not list(cleaned.glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    marked = {path: path.stat().st_mtime_ns for path in cleaned.glob("*.json")}
    assert marked
    subprocess.run(command, capture_output=True, check=True)
    assert not cleaned.exists()
    tables = [pq.read_table(path) for path in sorted((tmp_path / "corpus" / "documents").iterdir())]
    assert sum(map(len, tables)) == 105


def test_a_partition_whose_file_is_damaged_is_made_again(tmp_path: Path, sources: list[Path]) -> None:
    class StoppedError(Exception):
        pass

    def stop(stage: str, done: int, of: int) -> None:
        if stage == "finding duplicates":
            raise StoppedError

    config = CorpusConfig(rules=("readable",), partition_bytes=PARTITION)
    places = [str(source) for source in sources]
    with pytest.raises(StoppedError):
        build_corpus(config, places, tmp_path / "corpus", progress=stop)
    damaged = tmp_path / "corpus" / ".work" / "cleaned" / "000002.arrow"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    untouched = damaged.with_name("000001.arrow").stat().st_mtime_ns
    seen: list[tuple[str, int, int]] = []
    build_corpus(config, places, tmp_path / "corpus", progress=lambda *facts: seen.append(facts))
    assert [facts for facts in seen if facts[0] == "cleaning"] == [("cleaning", 0, 1), ("cleaning", 1, 1)]
    assert untouched


def test_sources_without_a_file_are_told_and_the_folder_can_be_used(tmp_path: Path, sources: list[Path]) -> None:
    empty, config = tmp_path / "empty", CorpusConfig(rules=("readable",))
    empty.mkdir()
    with pytest.raises(CorpusError, match="empty: no file is in there; name a source that has some"):
        build_corpus(config, [str(empty)], tmp_path / "corpus")
    assert build_corpus(config, [str(empty), str(sources[0])], tmp_path / "corpus").documents


def test_a_full_disk_is_one_line_and_the_build_goes_on_after_it(tmp_path: Path, command: list[str]) -> None:
    # No file may have more than 8 KiB: what writes beyond that fails as on a full disk.
    full = subprocess.run(["bash", "-c", 'ulimit -f 8; exec "$@"', "-", *command], capture_output=True, text=True)
    assert full.returncode == 2
    assert "Traceback" not in full.stderr
    assert "File too large" in full.stderr.splitlines()[-1]
    assert not (tmp_path / "corpus" / "report.json").exists()
    assert not list((tmp_path / "corpus").rglob("*.tmp"))
    subprocess.run(command, capture_output=True, check=True)
    subprocess.run([*command[:8], str(tmp_path / "whole"), *command[9:]], capture_output=True, check=True)
    assert contents(tmp_path / "corpus" / "documents") == contents(tmp_path / "whole" / "documents")


def test_ctrl_c_ends_a_build_without_a_traceback_and_it_goes_on(tmp_path: Path, command: list[str]) -> None:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "corpus" / ".work" / "plan.parquet").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    subprocess.run(command, capture_output=True, check=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda command, recipe: recipe.write_text("[corpus]\nrules = ['readible']\n"),
            "rules: got 'readible'; known are",
        ),
        (lambda command, recipe: recipe.write_text(f"{RECIPE}max_lines = 3\n"), "corpus.max_lines: unknown key; known"),
        (lambda command, recipe: recipe.write_text(f"{RECIPE}max_line = 'x'\n"), "corpus.max_line: got 'x', must be"),
        (
            lambda command, recipe: recipe.write_text(RECIPE.replace("Python", "python")),
            "languages: got 'python', which",
        ),
        (
            lambda command, recipe: recipe.write_text(f"{RECIPE}min_bytes = 9\nmax_bytes = 5\n"),
            "min_bytes: got 9, must",
        ),
        (lambda command, recipe: recipe.write_text(f"{RECIPE}max_bytes = 10{'0' * 12}\n"), "max_bytes: got 10"),
        (
            lambda command, recipe: recipe.write_text(f"{RECIPE}contamination_words = 10{'0' * 19}\n"),
            "must be from 1 to",
        ),
        (
            lambda command, recipe: recipe.write_text(f"{RECIPE}[corpus.near_duplicates]\nn_bands = 1_000_000_000\n"),
            "n_bands: got 1000000000, must be from 1 to 1000",
        ),
        (lambda command, recipe: recipe.write_text('[corpus]\nrules = ["python"]\n'), "put 'language' before it"),
        (lambda command, recipe: recipe.unlink(), "recipe.toml: no such file"),
        (lambda command, recipe: command.append("/nowhere"), "/nowhere: no such file or folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    command: list[str], tmp_path: Path, change: Callable[[list[str], Path], object], message: str
) -> None:
    change(command, tmp_path / "recipe.toml")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_source_that_is_gone_in_the_middle_is_said_in_one_line(tmp_path: Path, command: list[str]) -> None:
    """What a process of the build finds out is no other than what the command itself does."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    plan = tmp_path / "corpus" / ".work" / "plan.parquet"
    while not plan.exists() and process.poll() is None:
        time.sleep(0.002)
    (tmp_path / "sources").rename(tmp_path / "moved")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.splitlines()[-1].endswith("no such file or folder")
    assert "Traceback" not in errors
    (tmp_path / "moved").rename(tmp_path / "sources")
    subprocess.run(command, capture_output=True, check=True)


def test_what_is_no_text_is_dropped_by_every_recipe(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "good.py").write_text("x = 'é'\n")
    (tmp_path / "source" / "bad.py").write_bytes(b"x = '\xe9'\n")
    report = build_corpus(CorpusConfig(rules=("lines",)), [str(tmp_path / "source")], tmp_path / "corpus")
    assert (report.documents, report.rules["readable"].dropped) == (1, 1)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, sources: list[Path]) -> None:
    config, places = CorpusConfig(rules=("readable",)), [str(sources[0])]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(CorpusError, match="is not empty"):
        build_corpus(config, places, tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]
    build_corpus(config, places, tmp_path / "corpus")
    with pytest.raises(CorpusError, match="is built already"):
        build_corpus(config, places, tmp_path / "corpus")
    with pytest.raises(CorpusError, match="another recipe or other sources"):
        build_corpus(config, [*places, str(sources[1])], tmp_path / "corpus")


def test_the_report_hides_what_the_corpus_hides(tmp_path: Path, command: list[str], sources: list[Path]) -> None:
    token = "ghp_" + "x7Kq2MzR9tLw4VbN8sYd3HfJ6pGc1TaQ5eUo"
    secret = f'TOKEN = "{token}"\nMAIL = "jane.doe@corp.example.org"\n'
    (sources[0] / "long.py").write_text(secret + f"x = '{'y' * 2000}'\n")
    (sources[0] / "odd.py").write_bytes(b"\0\x01" + secret.encode())
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE.replace('"characters"]', '"characters", "private"]'))
    subprocess.run(command, capture_output=True, check=True)
    for name in ("report.html", "report.json"):
        text = (tmp_path / "corpus" / name).read_text()
        assert "long.py" in text
        assert "jane.doe" not in text
        assert token not in text
        assert "\0" not in text


def test_files_that_are_not_read_make_no_partition(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for at in range(6):
        (source / f"{at}a.py").write_text(function(f"small{at}"))
        with (source / f"{at}b.py").open("wb") as file:
            file.truncate(PARTITION * 3)
    config = CorpusConfig(rules=("readable",), max_bytes=PARTITION, partition_bytes=PARTITION * 40)
    build_corpus(config, [str(source)], tmp_path / "corpus")
    assert len(list((tmp_path / "corpus" / "documents").iterdir())) == 1
