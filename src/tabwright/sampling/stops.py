"""Stop rules: a stream of text in, the same stream out up to the first stop string.

Text that may be the beginning of a stop string is held back until it is decided, so that no part of one is ever shown.
"""

from __future__ import annotations

from collections.abc import Sequence


class StopMatcher:
    """Cuts one sample's stream at the first stop string."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """Take the next piece; return what can be shown now. After a stop string nothing more is shown."""
        if self.stopped:
            return ""
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            shown, self._held = self._held[: min(found)], ""
            return shown
        keep = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        cut = len(self._held) - keep
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def flush(self) -> str:
        """Return what was held back, at the end of the stream."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0


def line_after(suffix: str) -> str | None:
    """The first line of the text after the cursor that says something, as a stop string; None if there is none.

    A model without infill tokens does not see the suffix; stopping here keeps it from writing that line twice. A line
    of brackets alone says too little to stop at.
    """
    for line in suffix.splitlines()[1:]:
        if any(character.isalnum() for character in line):
            return "\n" + line.rstrip()
    return None
