# ruff: noqa
# expect: passed
# Uses dataclasses with text annotations, and pickles them.
from __future__ import annotations

import pickle
from dataclasses import dataclass


@dataclass(order=True)
class Number:
    value: int


def task(numbers):
    boxed = pickle.loads(pickle.dumps([Number(n) for n in numbers]))
    return [n.value for n in sorted(boxed)]
