"""Rules that ask programs: what is hidden, what is code that only looks like it, and programs that see no file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest

from tabwright.corpus import CorpusConfig
from tabwright.corpus.batch import SourceFile, put, table_of, values, views
from tabwright.corpus.rules import tools

CONFIG = CorpusConfig(rules=())


def hidden(*contents: str) -> list[str]:
    """Return texts as `private` leaves them."""
    files = [SourceFile(repository="r", path=f"{at}.txt", text=text.encode()) for at, text in enumerate(contents)]
    return [bytes(text).decode() for text in views(tools.private(CONFIG)(table_of(files)))]


@pytest.mark.parametrize(
    "code",
    [
        "this@MainActivity.finish()", "super@Outer.onCreate(b)", "return@outer.apply", "case y@foo.Bar(_) => y",
        "x = a@b.T", "y@np.linalg.inv(b)", "label@outer.inner.call(1)", "@decorator.call\ndef f(): ...",
    ],
)  # fmt: skip
def test_code_with_an_at_sign_is_no_address(code: str) -> None:
    assert hidden(code) == [code]


@pytest.mark.parametrize("address", ["jane.doe@mail.example.org", "J-D+x@EXAMPLE.COM", "a@b.io"])
def test_addresses_are_hidden(address: str) -> None:
    assert hidden(f"# by <{address}>, 2020", f"mail = '{address}'") == ["# by <<EMAIL>>, 2020", "mail = '<EMAIL>'"]


@pytest.mark.parametrize("password", ["Sup3rSecret9x7Qq", "Sup3r!Secret9x", "p$w0%d+-"])
def test_a_password_before_a_machine_s_name_is_hidden_whole(password: str) -> None:
    (text,) = hidden(f'URL = "postgres://admin:{password}@db.example.org:5432/app"  # by a@b.org\n')
    assert text == 'URL = "postgres://admin:<SECRET>@db.example.org:5432/app"  # by <EMAIL>\n'


def test_ends_of_lines_of_other_kinds_in_a_secret_are_no_error() -> None:
    line = 'password = "hV8fT1qLz9\u2028XcYb3RmN5kW\u0085d7JpQ2sGa4EuH"\n'
    assert len(hidden(line, "x = 1\n")) == 2


def test_files_are_formatted_whatever_is_ignored_around_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("*\n")
    monkeypatch.setattr(tools, "_MEMORY", tmp_path / "none")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    contents = (b"x  =  1\n", b"print 1\n")
    files = [SourceFile(repository="r", path=f"{at}.py", text=text) for at, text in enumerate(contents)]
    table = tools.python(CONFIG)(put(table_of(files), "language", pa.array(["Python", "Python"])))
    assert bytes(views(table)[0]) == b"x = 1\n"
    assert [bool(why) for why in values(table, "dropped")] == [False, True]


def test_what_a_killed_process_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left, ours = tmp_path / f"tabwright-{gone.pid}-x", tmp_path / f"tabwright-{os.getpid()}-x"
    for folder in (left, ours):
        folder.mkdir()
        (folder / "0.txt").write_text("secret")
    monkeypatch.setattr(tools, "_MEMORY", tmp_path / "none")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    hidden("x = 1\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == [ours.name]


def test_a_file_that_ends_the_formatter_costs_no_other() -> None:
    contents = (b"x  =  1\n", b"x = " + b"-" * 30_000 + b"1\n", b"print 1\n", b"y  =  2\n")
    files = [SourceFile(repository="r", path=f"{at}.py", text=text) for at, text in enumerate(contents)]
    table = tools.python(CONFIG)(put(table_of(files), "language", pa.array(["Python"] * 4)))
    assert [bytes(views(table)[at]) for at in (0, 3)] == [b"x = 1\n", b"y = 2\n"]
    assert [bool(why) for why in values(table, "dropped")] == [False, True, True, False]
