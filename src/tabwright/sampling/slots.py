"""Which slot of llama.cpp a prompt goes to: its ids in, the free slot that has read most of them already out.

llama.cpp would choose by itself, but only among slots that are idle this very moment. The slot of a request that was
just given up is not: it notices with its next token. So every keystroke, which gives up one request and makes another,
would read the whole file again in another slot. A request that names its slot waits for it instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile

ANY_SLOT = -1


class SlotBook:
    """Remembers what each slot read last, and which ones are in use."""

    def __init__(self, n_slots: int) -> None:
        self._read: dict[int, Sequence[int]] = dict.fromkeys(range(n_slots), ())
        self._free = list(range(n_slots))
        self._n_spread = 0

    @contextmanager
    def slot_for(self, ids: Sequence[int]) -> Iterator[int]:
        """Hold the free slot whose last prompt begins most like this one, the longest unused among equals.

        Yields `ANY_SLOT` when none is known to be free.
        """
        if not self._free or self._n_spread:
            yield ANY_SLOT
            return
        slot = max(self._free, key=lambda free: _common(self._read[free], ids))
        self._free.remove(slot)
        self._read[slot] = ids
        try:
            yield slot
        finally:
            self._free.append(slot)

    @contextmanager
    def spread(self) -> Iterator[int]:
        """Let llama.cpp spread several samples over slots of its choice; no other request names one meanwhile."""
        self._n_spread += 1
        try:
            yield ANY_SLOT
        finally:
            self._n_spread -= 1
            self._read = dict.fromkeys(self._read, ())


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
