"""The rule that keeps benchmarks out: no ten words in a row of a task, nor its function with its docstring.

Differs: runs of words that stand in several tasks (imports, the frame of a test) do not count, nor do those of very
short words (an alphabet), as they are in other files as well. Reference: Chen et al. 2021, section 2.2 (solutions to
public tasks are in public code).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tabwright.corpus.batch import Rule, drop, texts, words
from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.duplicates.words import Hashes, Places, words_of
from tabwright.records import Problem

# In how many tasks, told apart by the function they ask for, a run of words may stand and still be a sign of one.
_MOST_TASKS = 2
# Nor do runs of words as short as these on average: an alphabet, or the numbers from 1 to 10.
_LEAST_LETTERS = 3
_FILTER_BITS = 22
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
# A function's head and what it says of itself. Longer ones are not looked for, so that no text takes for ever.
_DOCSTRING = re.compile(rb'def\s+(\w+)\s*\(.{0,2000}?"""\s*(.{0,20000}?)\s*"""', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Signs:
    """What gives tasks away.

    Attributes:
        hashes: of runs of words, sorted.
        owners: for each of them, the number of its task.
        tasks: the tasks' names.
        functions: the number of the task that asks for a function, by its name and its docstring's words.
    """

    hashes: Hashes = field(default_factory=lambda: np.zeros(0, np.uint64))
    owners: Places = field(default_factory=lambda: np.zeros(0, np.int64))
    tasks: tuple[str, ...] = ()
    functions: dict[tuple[bytes, str], int] = field(default_factory=dict)


def signs_of(problems: Iterable[Problem], n_words: int) -> Signs:
    """Return what gives the problems away: their prompts and canonical solutions."""
    # Of tasks that differ in where their gap is, one counts.
    programs: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        programs.setdefault((problem.entry_point, problem.program(problem.canonical_solution)), problem)
    names = list({entry_point: None for entry_point, _ in programs})
    functions = {}
    for number, problem in enumerate(programs.values()):
        for name, docstring in _DOCSTRING.findall(problem.prompt.encode()):
            if len(docstring.split()) > 3:
                functions[name, _plain(docstring)] = number
    hashes, owners = _runs([program for _, program in programs], n_words)
    numbers = {name: at for at, name in enumerate(names)}
    asked = np.array([numbers[entry_point] for entry_point, _ in programs], np.int64)[owners]
    telling, first = np.unique(hashes, return_index=True)
    n_names = _counts_of_pairs(np.searchsorted(telling, hashes), asked, len(telling))
    few = n_names <= _MOST_TASKS
    return Signs(telling[few], owners[first[few]], tuple(each.task_id for each in programs.values()), functions)


def _runs(programs: list[str], n_words: int) -> tuple[Hashes, Places]:
    """Return the hash of each run of words that is long enough, and the number of its program."""
    encoded = [f"{program}\n".encode() for program in programs]
    joined = np.frombuffer(b"".join(encoded), np.uint8)
    found = words_of(joined, np.cumsum([0, *map(len, encoded)]))
    hashes, begins = found.shingles(n_words)
    lengths = np.array([len(word) for word in _WORD.findall(joined.tobytes())])
    letters = np.convolve(lengths, np.ones(n_words, dtype=int), "valid") if len(lengths) >= n_words else lengths[:0]
    counts = np.diff(begins)
    owners = np.repeat(np.arange(len(programs)), counts)
    places = np.arange(len(hashes)) + np.repeat(found.offsets[:-1] - begins[:-1], counts)
    long = letters[places] >= _LEAST_LETTERS * n_words
    return hashes[long], owners[long]


def _counts_of_pairs(first: Places, second: Places, n_first: int) -> Places:
    """Return with how many different second numbers each first one stands."""
    pairs = np.unique(np.stack([first, second]), axis=1)
    return np.bincount(pairs[0], minlength=n_first)


def contamination(config: CorpusConfig, signs: Signs) -> Rule:
    """Drop what holds a part of a benchmark's task; the reason names the task."""
    maybe = np.zeros(1 << _FILTER_BITS, dtype=bool)
    shift = np.uint64(64 - _FILTER_BITS)
    maybe[signs.hashes >> shift] = True
    names = re.compile(rb"def\s+(?:" + b"|".join(re.escape(name) for name, _ in signs.functions) + rb")\s*\(")

    def rule(table: pa.Table) -> pa.Table:
        hashes, begins = words(table).shingles(config.contamination_words)
        tasks: dict[int, int] = {}
        if len(signs.hashes):
            places = np.flatnonzero(maybe[hashes >> shift])
            at = np.minimum(np.searchsorted(signs.hashes, hashes[places]), len(signs.hashes) - 1)
            hits = signs.hashes[at] == hashes[places]
            rows = np.searchsorted(begins, places[hits], "right") - 1
            for row, sign in zip(rows.tolist(), at[hits].tolist(), strict=True):
                tasks.setdefault(row, int(signs.owners[sign]))
        if signs.functions:
            joined, offsets = texts(table)
            for found in names.finditer(joined.data):
                row = int(np.searchsorted(offsets, found.start(), "right")) - 1
                if (task := _copied(joined[found.start() : offsets[row + 1]], signs)) is not None:
                    tasks.setdefault(row, task)
        dropped = np.zeros(len(table), dtype=bool)
        dropped[list(tasks)] = True
        return drop(table, dropped, [signs.tasks[tasks[row]] for row in sorted(tasks)])

    return rule


def _copied(text: npt.NDArray[np.uint8], signs: Signs) -> int | None:
    """Return the number of the task whose function a text begins with, docstring and all."""
    found = _DOCSTRING.match(text.data)
    return signs.functions.get((found[1], _plain(found[2]))) if found else None


def _plain(docstring: bytes) -> str:
    return " ".join(re.findall(r"\w+", docstring.decode(errors="replace").lower()))
