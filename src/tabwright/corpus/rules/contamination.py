"""The rule that keeps benchmarks out: no ten words in a row of a task, nor its function with its docstring.

Differs: runs of words that stand in several tasks (imports, the frame of a test) do not count, nor do those of very
short words (an alphabet), as they are in other files as well. Reference: Chen et al. 2021, section 2.2 (solutions to
public tasks are in public code).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tabwright.corpus.batch import Rule, drop, texts
from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.duplicates.words import Hashes, words_of
from tabwright.records import Problem

# In how many tasks, told apart by the function they ask for, a run of words may stand and still be a sign of one.
_MOST_TASKS = 2
# Nor do runs of words as short as these on average: an alphabet, or the numbers from 1 to 10.
_LEAST_LETTERS = 3
_FILTER_BITS = 22
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_DOCSTRING = re.compile(r'def\s+(\w+)\s*\(.*?"""\s*(.*?)\s*"""', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Signs:
    """Hashes of runs of words that give a task away, sorted, with each one's task; and functions with docstrings."""

    hashes: Hashes
    tasks: list[str]
    functions: dict[tuple[str, str], str]


def signs_of(problems: Iterable[Problem], n_words: int) -> Signs:
    """Return what gives the problems away: their prompts and canonical solutions."""
    owners: dict[int, set[str]] = {}
    first: dict[int, str] = {}
    functions = {}
    seen: set[tuple[str, str]] = set()
    for problem in problems:
        program = problem.program(problem.canonical_solution)
        if (problem.entry_point, program) in seen:  # tasks that differ in where their gap is
            continue
        seen.add((problem.entry_point, program))
        text = np.frombuffer(program.encode(), dtype=np.uint8)
        hashes, _ = words_of(text, np.array([0, len(text)])).shingles(n_words)
        sizes = np.array([len(word) for word in _WORD.findall(text.tobytes())])
        runs = np.convolve(sizes, np.ones(n_words, dtype=int), "valid") if len(hashes) else sizes[:0]
        for sign in set(hashes[runs >= _LEAST_LETTERS * n_words].tolist()):
            owners.setdefault(sign, set()).add(problem.entry_point)
            first.setdefault(sign, problem.task_id)
        for name, docstring in _DOCSTRING.findall(problem.prompt):
            if len(docstring.split()) > 3:
                functions[name, _plain(docstring)] = problem.task_id
    telling = sorted(sign for sign, names in owners.items() if len(names) <= _MOST_TASKS)
    return Signs(np.array(telling, dtype=np.uint64), [first[sign] for sign in telling], functions)


def contamination(config: CorpusConfig, problems: Iterable[Problem]) -> Rule:
    """Drop what holds a part of a benchmark's task; the reason names the task."""
    signs = signs_of(problems, config.contamination_words)
    maybe = np.zeros(1 << _FILTER_BITS, dtype=bool)
    shift = np.uint64(64 - _FILTER_BITS)
    maybe[signs.hashes >> shift] = True
    names = re.compile(rb"def\s+(?:" + b"|".join(name.encode() for name, _ in signs.functions) + rb")\s*\(")

    def rule(table: pa.Table) -> pa.Table:
        joined, offsets = texts(table)
        ends = offsets[1:].tolist()
        hashes, begins = words_of(joined, offsets).shingles(config.contamination_words)
        tasks: dict[int, str] = {}
        if len(signs.hashes):
            places = np.flatnonzero(maybe[hashes >> shift])
            at = np.minimum(np.searchsorted(signs.hashes, hashes[places]), len(signs.hashes) - 1)
            hits = signs.hashes[at] == hashes[places]
            rows = np.searchsorted(begins, places[hits], "right") - 1
            for row, sign in zip(rows.tolist(), at[hits].tolist(), strict=True):
                tasks.setdefault(row, signs.tasks[sign])
        if signs.functions:
            data = joined.tobytes()
            named = (found.start() for found in names.finditer(data))
            for row in sorted({bisect_right(ends, place) for place in named} - tasks.keys()):
                if task := _copied(data[offsets[row] : offsets[row + 1]], signs):
                    tasks[row] = task
        dropped = np.zeros(len(table), dtype=bool)
        dropped[list(tasks)] = True
        return drop(table, dropped, [tasks[row] for row in sorted(tasks)])

    return rule


def _copied(text: bytes, signs: Signs) -> str:
    """Return the task whose function stands in a text with its docstring; empty where none does."""
    for name, docstring in _DOCSTRING.findall(text.decode(errors="replace")):
        if task := signs.functions.get((name, _plain(docstring))):
            return task
    return ""


def _plain(docstring: str) -> str:
    return " ".join(re.findall(r"\w+", docstring.lower()))
