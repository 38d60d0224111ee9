"""Rules: each takes a table of files and marks what it drops, or changes texts. One function for each, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tabwright.corpus.batch import Rule
from tabwright.corpus.config import CorpusConfig
from tabwright.corpus.errors import CorpusError
from tabwright.corpus.rules.contamination import Signs, contamination, signs_of
from tabwright.corpus.rules.languages import generated, language
from tabwright.corpus.rules.licences import licence
from tabwright.corpus.rules.text import characters, lines, readable, size
from tabwright.corpus.rules.tools import private, python

__all__ = ["RULES", "WHOLE", "Signs", "make_rules", "signs_of"]

_MAKERS: dict[str, Callable[[CorpusConfig], Rule]] = {
    maker.__name__: maker
    for maker in (readable, size, language, licence, generated, lines, characters, python, private)
}
# Rules that ask a program, which is slow to start.
WHOLE = frozenset({"python", "private"})
RULES = {name: (maker.__doc__ or "").strip() for name, maker in (_MAKERS | {"contamination": contamination}).items()}


def make_rules(config: CorpusConfig, signs: Signs) -> dict[str, Rule]:
    """Return a recipe's rules by name, in its order; `signs` are of what must not be in the corpus.

    What is no text is dropped in any case: `readable` stands first where a recipe leaves it out.

    Raises:
        CorpusError: a rule is unknown.
    """
    makers = _MAKERS | {"contamination": partial(contamination, signs=signs)}
    if unknown := [name for name in config.rules if name not in makers]:
        raise CorpusError(f"rules: got {unknown[0]!r}; known are {', '.join(makers)}")
    first = () if "readable" in config.rules else ("readable",)
    return {name: makers[name](config) for name in (*first, *config.rules)}
