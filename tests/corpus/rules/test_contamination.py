"""Benchmarks' tasks in files: whichever function comes before them, and however a text was made to take long."""

from __future__ import annotations

import time

import pyarrow as pa
import pytest

from tabwright.corpus import CorpusConfig
from tabwright.corpus.batch import SourceFile, table_of, values
from tabwright.corpus.rules.contamination import contamination, signs_of
from tabwright.records import Problem

DOCSTRING = "Return how many of the given trees a squirrel can reach."
PROBLEM = Problem(
    task_id="Test/7",
    entry_point="reach",
    prompt=f'def reach(trees):\n    """{DOCSTRING}"""\n',
    canonical_solution="    return sum(tree.height < 10 for tree in trees if tree.is_near)\n",
    test="",
)
CONFIG = CorpusConfig(rules=())


def dropped(*contents: str, problems: tuple[Problem, ...] = (PROBLEM,), n_words: int = 30) -> list[str]:
    """Return the task of which each text holds a part."""
    rule = contamination(CorpusConfig(rules=(), contamination_words=n_words), signs_of(problems, n_words))
    files = [SourceFile(repository="r", path="a.py", text=content.encode()) for content in contents]
    return values(rule(table_of(files)), "dropped")


@pytest.mark.parametrize(
    "before",
    [
        "",
        'def other():\n    """Do it."""\n\n\n',
        "def first(x):\n    return x\n\n\n",
        '"""A module."""\n',
        "é" * 50 + "\n",
    ],
)
def test_a_function_with_its_docstring_is_found_wherever_it_stands(before: str) -> None:
    copied = f"{before}def reach(trees, near=3):\n    '''x''' if 0 else None\n" + f'    """ {DOCSTRING}\n    """\n'
    assert dropped("x = 1\n", copied, before + "y = 2\n") == ["", "Test/7", ""]


def test_the_function_s_name_alone_or_its_docstring_under_another_name_is_kept() -> None:
    assert dropped("def reach(trees):\n    return 1\n", f'def other():\n    """{DOCSTRING}"""\n') == ["", ""]


def test_a_docstring_in_the_next_file_is_none() -> None:
    assert dropped("def reach(trees):\n", f'    """{DOCSTRING}"""\n') == ["", ""]


def test_runs_of_words_that_many_tasks_share_are_no_sign() -> None:
    frame = "import collections and then open every single one of the small files\n"
    problems = tuple(
        Problem(task_id=f"T/{at}", entry_point=f"f{at}", prompt=frame, canonical_solution=f"g{at}()\n", test="")
        for at in range(3)
    )
    assert dropped(frame, problems=problems, n_words=8) == [""]
    assert dropped(frame, problems=problems[:2], n_words=8) == ["T/0"]


def test_a_text_made_of_heads_alone_takes_no_longer_than_its_size() -> None:
    start = time.perf_counter()
    assert dropped("def reach(" * 100_000) == [""]
    assert time.perf_counter() - start < 20


def test_no_table_is_too_small() -> None:
    rule = contamination(CONFIG, signs_of([PROBLEM], CONFIG.contamination_words))
    assert isinstance(rule(table_of([])), pa.Table)
