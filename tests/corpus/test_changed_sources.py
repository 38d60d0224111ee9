"""Sources that change while a corpus is built of them: no text ever stands under another file's name or revision."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tabwright.corpus import CorpusConfig, CorpusError
from tabwright.corpus.build import build_corpus
from tests.corpus.conftest import MIT, function
from tests.corpus.test_sources import git

CONFIG = CorpusConfig(rules=("readable",), unknown_licence="keep")


def built_while(change: Callable[[], object], place: Path, folder: Path) -> list[dict[str, str]]:
    """Build a corpus, changing its source when it has been listed; return the documents."""
    changes = [change]

    def progress(stage: str, done: int, of: int) -> None:
        if stage == "cleaning" and changes:
            changes.pop()()

    build_corpus(CONFIG, [str(place)], folder, progress=progress)
    rows = [pq.read_table(path).to_pylist() for path in sorted((folder / "documents").iterdir())]
    return [row for part in rows for row in part]


def test_a_repository_is_read_at_the_commit_that_was_listed(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q")
    (repository / "a.py").write_text(function("old"))

    def commit() -> str:
        git(repository, "add", "-A")
        git(repository, "commit", "-q", "-m", "more")
        return git(repository, "rev-parse", "HEAD")

    old = commit()

    def change() -> None:
        (repository / "a.py").write_text(function("new"))
        commit()

    rows = built_while(change, repository, tmp_path / "corpus")
    assert [(row["path"], row["revision"], row["text"]) for row in rows] == [("a.py", old, function("old"))]


def write_rows(path: Path, name: str) -> None:
    """Write a file of one document."""
    row = {"text": function(name), "path": f"{name}.py"}
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([row]), path)
    elif path.suffix == ".jsonl":
        path.write_text(json.dumps(row) + "\n")
    else:
        (path.parent / row["path"]).write_text(row["text"])
        with tarfile.open(path, "w") as archive:
            archive.add(path.parent / row["path"], arcname=row["path"])


@pytest.mark.parametrize("name", ["rows.parquet", "rows.jsonl", "files.tar"])
def test_a_file_that_was_replaced_is_told(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    write_rows(place, "first")
    with pytest.raises(CorpusError, match=f"{name}: has changed since it was listed; remove"):
        built_while(lambda: write_rows(place, "second"), place, tmp_path / "corpus")
    assert not (tmp_path / "corpus" / "report.json").exists()


def test_a_corpus_cannot_lie_in_its_source(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text(MIT)
    (tmp_path / "a.py").write_text(function("a"))
    with pytest.raises(CorpusError, match="lies in the source"):
        build_corpus(CONFIG, [str(tmp_path)], tmp_path / "corpus")


def test_what_a_killed_build_left_stands_in_nobody_s_way(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "corpus"
    source.mkdir()
    (source / "a.py").write_text(function("a"))
    left = [folder / ".recipe.json.4711.tmp", folder / "documents" / ".000000.parquet.4711.tmp", folder / ".work" / "x"]
    for path in (left[0], left[2]):  # of a build that was killed before it had said whose folder it is
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half")
    recipes: list[bool] = []

    def progress(stage: str, done: int, of: int) -> None:
        recipes.append((folder / "recipe.json").exists())
        if stage == "writing" and not done:
            left[1].parent.mkdir(exist_ok=True)

    build_corpus(CONFIG, [str(source)], folder, progress=progress)
    assert all(recipes)
    assert not left[0].exists()
    assert sorted(path.name for path in folder.iterdir()) == [
        "documents", "dropped", "recipe.json", "report.html", "report.json",
    ]  # fmt: skip
