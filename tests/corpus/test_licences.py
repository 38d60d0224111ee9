"""Licences: texts and headers to SPDX names, and what a recipe allows of an expression."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import pytest

from tabwright.corpus.licences import LICENCE_FILE, allows, licence_of_header, licence_of_text
from tests.corpus.conftest import MIT

ALLOWED = frozenset(name.casefold() for name in {"MIT", "Apache-2.0", "BSD-3-Clause"})


@pytest.mark.parametrize(
    ("package", "name"),
    [("click", "BSD-3-Clause"), ("rich", "MIT"), ("httpx", "BSD-3-Clause"), ("requests", "Apache-2.0")],
)
def test_licence_files_that_packages_come_with_are_known(package: str, name: str) -> None:
    files = [file for file in distribution(package).files or [] if LICENCE_FILE.fullmatch(file.name)]
    found = {licence_of_text(Path(str(file.locate())).read_bytes()) for file in files[:1]}
    assert found == {name}


def test_this_project_s_licence_is_known() -> None:
    assert licence_of_text((Path(__file__).parents[2] / "LICENSE").read_bytes()) == "Apache-2.0"


def test_line_ends_and_comment_signs_do_not_matter() -> None:
    assert licence_of_text(MIT.replace(" ", "\r\n * ").encode()) == "MIT"
    assert licence_of_text(b"All rights reserved.") == ""


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"// SPDX-License-Identifier: MIT OR Apache-2.0\n", "MIT OR Apache-2.0"),
        (b"/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) */\n", "(GPL-2.0 WITH Linux-syscall-note)"),
        (b"# SPDX-License-Identifier: MIT AND (GPL-2.0-only OR ISC)\n", "MIT AND (GPL-2.0-only OR ISC)"),
        (b"<!-- SPDX-License-Identifier: MIT -->\n", "MIT"),
        (b"# SPDX-License-Identifier: MIT Copyright A\n", "MIT"),
        (b"# SPDX-License-Identifier: MIT (see there)\n", "MIT"),
        (b"# SPDX-License-Identifier: MIT AND\n# GPL-2.0-only\n", "MIT AND"),
        (b"# SPDX-License-Identifier: Apache-2.0 AND (GPL-2.0-only\n", "Apache-2.0 AND (GPL-2.0-only"),
        (b"# SPDX-License-Identifier: " + b"(" * 400 + b"\n", "(" * 400),
        (b"# GNU Lesser General Public License as published, version 2.1\n", "LGPL-2.1"),
        (b"# under the GNU Affero General Public License, version 3\n", "AGPL-3.0"),
        (b"# under the terms of the GNU General Public License\n", "GPL-2.0"),
        (b"// This Source Code Form is subject to the Mozilla Public License, v. 2.0.\n", "MPL-2.0"),
        (b"# Licensed under the Apache License, Version 2.0\n", ""),  # its repository says so too
        (b"x = 1\n", ""),
    ],
)
def test_headers_that_bind_are_known(head: bytes, name: str) -> None:
    assert licence_of_header(head + b"code()\n") == name


@pytest.mark.parametrize(
    ("expression", "is_allowed"),
    [
        ("MIT", True), ("GPL-3.0", False), ("MIT OR GPL-2.0", True), ("MIT AND GPL-2.0", False),
        ("Apache-2.0 WITH LLVM-exception", True), ("BSD-3-Clause AND MIT", True), ("mit", True), ("", False),
        ("MIT AND (GPL-2.0-only OR LGPL-2.1-only)", False), ("(MIT OR Apache-2.0) AND GPL-3.0-only", False),
        ("MIT AND (GPL-2.0-only OR BSD-3-Clause)", True), ("MIT OR", False), ("(MIT", False), ("MIT MIT", False),
        ("MIT or GPL-2.0", True), ("GPL-2.0 OR MIT AND Apache-2.0", True), ("GPL-2.0 AND MIT OR Apache-2.0", True),
        ("GPL-2.0 WITH x AND MIT", False), ("MIT WITH )", False), ("MIT WITH OR", False),
        ("(" * 5000 + "MIT" + ")" * 5000, False), ("MIT AND GPL-2.0 OR GPL-3.0", False),
    ],
)  # fmt: skip
def test_an_expression_is_allowed_where_a_choice_of_it_is(expression: str, is_allowed: bool) -> None:
    assert allows(expression, ALLOWED) == is_allowed


def test_files_about_what_a_repository_brings_along_do_not_count() -> None:
    names = ["LICENSE", "LICENSE-MIT", "COPYING.txt", "licence.md", "MIT-LICENSE"]
    others = ["LICENSE-binary", "LICENSE-THIRD-PARTY", "README", "licenses.py.notice"]
    assert [name for name in [*names, *others] if LICENCE_FILE.fullmatch(name)] == names
