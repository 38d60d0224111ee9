"""Where files come from, and what no source may do: follow a link, wait for a pipe, be filled by a bomb, or fail."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tabwright.corpus import CorpusConfig, CorpusError
from tabwright.corpus.batch import SourceFile
from tabwright.corpus.build import build_corpus
from tabwright.corpus.sources import open_source
from tests.corpus.conftest import MIT

MAX_BYTES = 1000


def read(place: object, max_bytes: int = MAX_BYTES) -> dict[str, SourceFile]:
    source = open_source(str(place), max_bytes)
    return {file.path: file for file in source.read(source.entries())}


def git(folder: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *settings, "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "owner+name" / "repo"
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "LICENSE").write_text(MIT)
    (folder / "a.py").write_text("a = 1\n")
    (folder / "link.py").symlink_to("a.py")
    (folder / "large.py").write_text("b" * (MAX_BYTES + 1))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "tag", "first")
    (folder / "a.py").write_text("a = 2\n")
    git(folder, "commit", "-q", "-a", "-m", "two")
    (folder / "a.py").write_text("not committed\n")
    return folder


def test_a_folder_gives_its_ordinary_files_and_says_what_the_others_are(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "LICENSE").write_text(MIT)
    (tmp_path / "b" / "code.py").write_text("x = 1\n")
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "secret.py").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.py")
    with (tmp_path / "sparse.py").open("wb") as file:
        file.truncate(2 << 30)
    files = read(tmp_path)
    assert (files["b/code.py"].text, files["b/code.py"].licence) == (b"x = 1\n", "MIT")
    assert {path: file.problem for path, file in files.items() if file.problem} == {
        "b/loop": "a link", "secret.py": "a link", "pipe.py": "no ordinary file", "sparse.py": f"{2 << 30} bytes",
    }  # fmt: skip


def test_what_became_a_pipe_after_it_was_listed_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("x = 1\n")
    source = open_source(str(tmp_path), MAX_BYTES)
    entries = source.entries()
    (tmp_path / "code.py").unlink()
    os.mkfifo(tmp_path / "code.py")
    assert [file.problem for file in source.read(entries)] == ["no ordinary file"]


def test_a_repository_gives_what_is_committed_at_a_revision(repository: Path) -> None:
    now, first = read(repository), read(f"{repository}@first")
    assert (now["a.py"].text, first["a.py"].text) == (b"a = 2\n", b"a = 1\n")
    assert now["a.py"].revision == git(repository, "rev-parse", "HEAD")
    assert (now["a.py"].repository, now["a.py"].licence) == ("owner/name", "MIT")
    assert (now["link.py"].problem, now["large.py"].problem) == ("a link", f"{MAX_BYTES + 1} bytes")


def test_a_bare_repository_is_one_too(repository: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(repository), str(bare))
    assert read(bare)["a.py"].text == b"a = 2\n"


def test_a_repository_of_many_files_is_read_whole(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for number in range(1200):
        (tmp_path / f"{number}.py").write_text(f"x = {number}\n" * 50)
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "many")
    files = read(tmp_path)
    assert all(files[f"{number}.py"].text == f"x = {number}\n".encode() * 50 for number in range(1200))


def test_a_blob_that_is_not_there_is_a_problem_of_its_own(repository: Path) -> None:
    name = git(repository, "rev-parse", "HEAD:a.py")
    (repository / ".git" / "objects" / name[:2] / name[2:]).unlink()
    files = read(repository)
    assert files["a.py"].problem.startswith("cannot be read")
    assert files["LICENSE"].text == MIT.encode()


def tarball(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("pkg-1.0/link.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


def test_a_source_distribution_is_read_without_its_top_folder(tmp_path: Path) -> None:
    path = tarball(
        tmp_path / "pkg-1.0.tar.gz",
        {"pkg-1.0/LICENSE": MIT.encode(), "pkg-1.0/pkg/a.py": b"a = 1\n", "pkg-1.0/b.py": b"b" * (MAX_BYTES + 1)},
    )
    files = read(path)
    assert (files["pkg/a.py"].text, files["pkg/a.py"].licence) == (b"a = 1\n", "MIT")
    assert files["pkg/a.py"].repository == "pkg-1.0"
    assert (files["b.py"].problem, files["link.py"].problem) == (f"{MAX_BYTES + 1} bytes", "a link")


def test_an_archive_that_is_cut_short_gives_what_stands_before(tmp_path: Path) -> None:
    path = tarball(tmp_path / "pkg.tar.gz", {f"p/{at}.py": os.urandom(900) for at in range(40)})
    path.write_bytes(path.read_bytes()[:20_000])
    files = read(path)
    assert len([file for file in files.values() if not file.problem]) > 10
    assert any("the archive ends here" in file.problem for file in files.values())


def test_a_bomb_is_given_up_and_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tar.gz"
    head = tarfile.TarInfo("zeros.bin")
    head.size = 3 << 30
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head.tobuf())
        file.write(b"\0" * (1 << 20))
    problems = [file.problem for file in read(path).values()]
    assert any("holds more than" in problem for problem in problems)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.py", b"\0" * (1 << 24))
    assert read(tmp_path / "bomb.zip")["zeros.py"].problem == f"{1 << 24} bytes"


def test_rows_of_the_stack_and_of_our_own_are_read(tmp_path: Path) -> None:
    row = {"content": "x = 1\n", "max_stars_repo_path": "a.py", "max_stars_repo_licenses": ["MIT", "Apache-2.0"]}
    pq.write_table(pa.Table.from_pylist([row, {**row, "content": None}]), tmp_path / "stack.parquet")
    table = open_source(str(tmp_path / "stack.parquet"), MAX_BYTES)
    first, second = table.read(table.entries())
    assert (first.text, first.path, first.licence, second.problem) == (
        b"x = 1\n", "a.py", "MIT AND Apache-2.0", "has no text",
    )  # fmt: skip
    own = {"text": "y = 2\n", "path": "b.py", "repository": "o/n", "licence": "MIT"}
    (tmp_path / "own.jsonl").write_text(json.dumps(own) + "\n")
    assert read(tmp_path / "own.jsonl")["b.py"].repository == "o/n"


@pytest.mark.parametrize("name", ["rows.parquet", "rows.jsonl"])
def test_a_part_of_a_table_is_read_from_its_middle(tmp_path: Path, name: str) -> None:
    rows = [{"text": f"x = {at}\n" * 100, "path": f"{at}.py"} for at in range(50)]
    path = tmp_path / name
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=8)
    else:
        path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    source = open_source(str(path), MAX_BYTES)
    entries = source.entries()
    for start, stop in ((0, 50), (7, 9), (8, 9), (19, 47), (49, 50)):
        texts = [file.text.decode() for file in source.read(entries[start:stop])]
        assert texts == [row["text"] for row in rows[start:stop]]
    sizes = [len(row["text"]) for row in rows]
    assert sum(entry.size_bytes for entry in entries) == pytest.approx(sum(sizes), rel=0.4)


def test_what_is_no_source_is_named(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "notes.bin").write_bytes(b"notes")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    pq.write_table(pa.table({"code": ["x = 1"]}), tmp_path / "other.parquet")
    for place, why in (
        (tmp_path / "missing", "no such file"),
        (tmp_path / "notes.bin", "no tarball"),
        (tmp_path / "broken.parquet", "cannot be read"),
        (tmp_path / "other.parquet", "no column of texts; name one text or content"),
        (f"{repository}@nowhere", "git says"),
        (f"{tmp_path}@main", "no git repository"),
    ):
        with pytest.raises(CorpusError, match=why):
            read(place)


@pytest.mark.parametrize("kind", ["string", "large_string", "binary", "dictionary"])
def test_texts_are_read_from_any_kind_of_column(tmp_path: Path, kind: str) -> None:
    contents = ["x = 1\n", "", None, "\u00e9 = 2\n" * 400]
    types = {
        "string": pa.string(), "large_string": pa.large_string(), "binary": pa.binary(),
        "dictionary": pa.dictionary(pa.int32(), pa.string()),
    }  # fmt: skip
    text = pa.array(contents, pa.string()).cast(types[kind])
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"content": text, "text": pa.array([None, "other", None, None], pa.string())}), path)
    files = list((source := open_source(str(path), 2000)).read(source.entries()))
    assert [(file.path, file.text.decode(), file.problem) for file in files] == [
        ("0", "x = 1\n", ""), ("1", "other", ""), ("2", "", "has no text"), ("3", "", "2800 bytes"),
    ]  # fmt: skip
    chosen = [source.entries()[at] for at in (1, 3)]
    assert [file.path for file in source.read(chosen)] == ["1", "3"]


def test_a_column_of_numbers_is_none_of_texts(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [1, 2]}), tmp_path / "numbers.parquet")
    with pytest.raises(CorpusError, match="no column of texts"):
        read(tmp_path / "numbers.parquet")


def test_a_folder_that_only_looks_like_a_repository_is_a_folder(tmp_path: Path, repository: Path) -> None:
    inside = repository / "inside"
    (inside / ".git").mkdir(parents=True)
    (inside / "own.py").write_text("own = 1\n")
    assert sorted(read(inside)) == ["own.py"]


def test_git_s_variables_name_no_other_repository(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    (other / "b.py").write_text("b = 1\n")
    git(other, "add", "-A")
    git(other, "commit", "-q", "-m", "one")
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    assert sorted(read(other)) == ["b.py"]


def test_names_that_are_no_text_are_told_or_shown(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"f\xff")
    folder.mkdir()
    (folder / os.fsdecode(b"a\xff.py")).write_text("a = 1\n")
    assert [file.problem for file in read(folder).values()] == ["its name is no text"]
    archive = tmp_path / "bad.tar"
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape") as tar:
        tar.add(folder / os.fsdecode(b"a\xff.py"), arcname=os.fsdecode(b"a\xff.py"))
    (tmp_path / "rows.jsonl").write_text('{"text": "x = 1\\n", "path": "\\ud800.py", "repository": "\\ud801"}\n')
    path = pa.array([b"b\xff.py"]).view(pa.string())
    pq.write_table(pa.table({"text": ["y = 1\n"], "path": path}), tmp_path / "rows.parquet")
    places = [str(folder), str(archive), str(tmp_path / "rows.jsonl"), str(tmp_path / "rows.parquet")]
    config = CorpusConfig(rules=("readable",))
    report = build_corpus(config, places, tmp_path / "corpus")
    assert report.documents == 3
    (documents,) = (tmp_path / "corpus" / "documents").iterdir()
    assert pq.read_table(documents).column("path").to_pylist() == ["a\ufffd.py", "\ufffd.py", "b\ufffd.py"]


def test_a_tarball_that_ends_at_once_is_named(tmp_path: Path) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        archive.add(__file__, arcname="a.py")
    (tmp_path / "cut.tar.gz").write_bytes(whole.getvalue()[:80])
    with pytest.raises(CorpusError, match="no tarball and no zip file, or cut short"):
        read(tmp_path / "cut.tar.gz")


def test_a_folder_of_any_depth_is_listed(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):  # a path of them all would be too long to name
        os.mkdir("d", dir_fd=here)
        here, above = os.open("d", os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(here)
    try:
        assert all(not file.text for file in read(tmp_path).values())
    finally:  # nothing else here can remove it
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)


def test_one_damaged_member_of_a_zip_file_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "files.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for at in range(5):
            archive.writestr(f"{at}.py", f"x{at} = {at}\n" * 20)
    path.write_bytes(path.read_bytes().replace(b"x2 = 2", b"x2 = 9", 1))
    problems = {name: file.problem for name, file in read(path).items()}
    assert [name for name, problem in problems.items() if problem] == ["2.py"]


def test_columns_of_one_name_are_told(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["text", "text"])
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(CorpusError, match="several columns 'text'"):
        read(tmp_path / "twice.parquet")


def test_a_damaged_blob_costs_no_other(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q")
    drawn = random.Random(1)
    for at in range(5):
        (repository / f"{at}.txt").write_text("".join(f"{drawn.getrandbits(64):x}\n" for _ in range(30_000)))
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "one")
    blob = git(repository, "rev-parse", "HEAD:2.txt")
    path = repository / ".git" / "objects" / blob[:2] / blob[2:]
    data = bytearray(path.read_bytes())
    path.chmod(0o644)
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    path.write_bytes(data)
    files = read(repository, max_bytes=1 << 24)
    assert {name: file.problem for name, file in files.items() if file.problem} == {
        "2.txt": "cannot be read: damaged in the repository"
    }
    assert all(len(file.text) > 400_000 for name, file in files.items() if name != "2.txt")


def test_lists_of_licences_all_hold(tmp_path: Path) -> None:
    texts = pa.array(["x = 1\n", "y = 2\n", "z = 3\n"])
    licences = pa.array([["MIT OR GPL-3.0-only", "GPL-3.0-only"], ["MIT", None], None])
    pq.write_table(pa.table({"content": texts, "licenses": licences}), tmp_path / "rows.parquet")
    found = [file.licence for file in read(tmp_path / "rows.parquet").values()]
    assert found == ["(MIT OR GPL-3.0-only) AND GPL-3.0-only", "MIT", ""]
    odd = pa.ListArray.from_arrays([0, 1, 2, 3], pa.array([b"MIT", b"\xff", b"MIT"]).view(pa.string()))
    pq.write_table(pa.table({"content": texts, "licenses": odd}), tmp_path / "odd.parquet")
    assert all(file.licence == "\ufffd" for file in read(tmp_path / "odd.parquet").values())
