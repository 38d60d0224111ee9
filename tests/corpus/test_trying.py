"""`tabwright corpus try`: one rule on one file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tabwright", "corpus", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("rule", "name", "text", "said"),
    [
        ("generated", "a.py", "# Automatically generated\nx = 1\n", "dropped: says 'Automatically generated'\n"),
        ("generated", "a.py", "x = 1\n", "kept, language Python\n"),
        ("language", "a.rs", "fn main() {}\n", "kept, language Rust\n"),
        ("licence", "a.c", "// SPDX-License-Identifier: GPL-2.0\n", "dropped: GPL-2.0\n"),
        ("lines", "a.js", "x" * 2000, "dropped: a line of 2000 characters\n"),
        ("python", "a.py", "x=1\n", "changed: formatted\n--- before\n+++ after\n@@ -1 +1 @@\n-x=1\n+x = 1\n"),
        ("private", "a.py", "# by me@mail.corp.net\n", "changed: e-mail addresses\n--- before\n"),
    ],
)
def test_a_rule_says_what_it_does_to_a_file(tmp_path: Path, rule: str, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    done = run("try", rule, str(tmp_path / name))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(said)


def test_what_cannot_be_tried_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    for arguments, said in (
        (("try", "genrated", str(tmp_path / "a.py")), "tabwright: rules: got 'genrated'; known are readable, size,"),
        (("try", "lines", str(tmp_path / "b.py")), "b.py: cannot be read: No such file or directory"),
        (("try", "lines", str(tmp_path)), "cannot be read: Is a directory"),
        (("functions", str(tmp_path), "--to", str(tmp_path / "f.parquet")), "is no finished corpus"),
    ):
        done = run(*arguments)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_the_rules_are_listed() -> None:
    listed = run("rules").stdout
    for name in ("readable", "size", "language", "licence", "generated", "lines", "characters", "python", "private"):
        assert name in listed
