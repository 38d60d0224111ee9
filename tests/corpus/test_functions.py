"""Functions that stand alone, out of files, and that what is taken out runs."""

from __future__ import annotations

import ast
import doctest
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tabwright.corpus import CorpusError
from tabwright.corpus.functions import extract_functions, functions_of
from tests.corpus.conftest import Build

FILE = '''\
"""A module."""
import math
from functools import cache as remember, partial
import os.path

LIMIT = 3


def area(radius):
    """Return a circle's area.

    >>> round(area(2), 2)
    12.57
    """
    return math.pi * radius**2


@remember
def fibonacci(n):
    """Return the n-th of them."""
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def bounded(x):
    """Use what else stands in the file."""
    return min(x, LIMIT)


def helper(x):
    return x


def calls(x):
    """Call another function."""
    return helper(x)


def empty(x):
    """Only say something."""


def joined(name):
    r"""Join \\ paths."""
    return os.path.join(name, name)


async def wait(seconds):
    """Wait."""
    return seconds


class Thing:
    def method(self):
        """Be no function."""
        return 1


if LIMIT:
    def inner(x):
        """Stand in a block."""
        return x
'''


def test_only_functions_that_need_nothing_but_imports_are_taken() -> None:
    found = {function.name: function for function in functions_of(FILE)}
    assert list(found) == ["area", "fibonacci", "joined", "wait"]
    assert {name: function.imports for name, function in found.items()} == {
        "area": "import math",
        "fibonacci": "from functools import cache as remember, partial",
        "joined": "import os.path",
        "wait": "",
    }
    assert [name for name, function in found.items() if function.has_doctest] == ["area"]
    assert found["fibonacci"].signature == "@remember\ndef fibonacci(n):"
    assert found["area"].body == "    return math.pi * radius**2"


def test_what_is_taken_runs_and_its_doctest_passes() -> None:
    area = next(functions_of(FILE))
    names: dict[str, object] = {}
    exec(f"{area.imports}\n{area.signature}\n    {area.docstring}\n{area.body}\n", names)
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(names["area"], "area", globs=names):
        runner.run(test)
    assert runner.summarize(verbose=False) == (0, 1)


def test_the_pieces_make_every_function_of_real_files() -> None:
    n_found = 0
    for path in Path(ast.__file__).parent.glob("*.py"):
        for function in functions_of(path.read_text(encoding="utf-8", errors="ignore")):
            pieces = f"{function.imports}\n{function.signature}\n    {function.docstring}\n{function.body}\n"
            (*_, definition) = ast.parse(pieces).body
            assert isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef)
            assert definition.name == function.name
            n_found += 1
    assert n_found > 100


@pytest.mark.parametrize(
    "text", ["", "def", "def f(:\n", "\x00", "def f():\n    'x'\n", "def f():\n    1\n    'x'\n", "@\n"]
)
def test_what_is_no_function_is_no_error(text: str) -> None:
    assert list(functions_of(text)) == []


def test_a_corpus_s_functions_carry_its_provenance(build: Build, tmp_path: Path) -> None:
    built = build({"code.py": FILE}, rules=("language", "licence"))
    assert extract_functions(built.folder, tmp_path / "functions.parquet") == (4, 1)
    row = pq.read_table(tmp_path / "functions.parquet").to_pylist()[0]
    assert (row["name"], row["path"], row["repository"], row["licence"]) == ("area", "code.py", "source", "MIT")
    with pytest.raises(CorpusError, match="exists already"):
        extract_functions(built.folder, tmp_path / "functions.parquet")
    with pytest.raises(CorpusError, match="no finished corpus"):
        extract_functions(tmp_path, tmp_path / "other.parquet")
