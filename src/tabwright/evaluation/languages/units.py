"""A problem -> the pieces of source from which its program and its test are put together."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from tabwright.evaluation.languages.table import Language
from tabwright.records import Problem, RecordError

_OPENING, _CLOSING = "<([{", ">)]}"
_TEXT_OR_COMMENT = re.compile(
    r""" "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | (?P<comment> /\*.*?\*/ | //[^\n]*)""", re.DOTALL | re.VERBOSE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """What templates can name. The function that is asked for is the last one that the prompt begins.

    Attributes:
        prompt: the problem's prompt, or what stands in its place in the program; `suffix`, `test`, `setup`: its own.
        head: the prompt up to that function; `declaration`: the function as declared, up to its body.
        returns: its result type as written; empty where the language has none.
        name: its name; `parameters`: its parameters as written; `arguments`: their names alone.
    """

    prompt: str
    suffix: str
    test: str
    setup: str
    head: str
    declaration: str
    returns: str
    name: str
    parameters: str
    arguments: str

    def fill(self, template: str, completion: str = "") -> str:
        """Return a template with its fields filled in."""
        return template.format(completion=completion, **asdict(self))


def unit_of(problem: Problem, language: Language) -> Unit:
    """Take a problem's prompt apart.

    Raises:
        RecordError: the prompt does not end in the beginning of a function.
    """
    prompt = problem.preamble if problem.preamble is not None else problem.prompt
    found = language.entry.search(_without_comments(prompt))
    if found is None:
        raise RecordError(f"{problem.task_id}: the prompt must end where a {language.name} function's body begins")
    parts = found.groupdict()
    names = [_name(part, language.parameter, problem) for part in _split(parts["parameters"])]
    return Unit(
        prompt=prompt,
        suffix=problem.suffix,
        test=problem.test,
        setup=problem.setup,
        head=prompt[: found.start()] + "\n",
        declaration=prompt[found.start() :].rstrip().removesuffix("{"),
        returns=(parts.get("returns") or "").strip(),
        name=parts["name"],
        parameters=parts["parameters"],
        arguments=", ".join(names),
    )


def _without_comments(code: str) -> str:
    """Return the code with spaces in the place of its comments, so that all else stands where it stood."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0]) if match["comment"] else match[0]

    return _TEXT_OR_COMMENT.sub(blank, code)


def _name(parameter: str, pattern: re.Pattern[str], problem: Problem) -> str:
    found = pattern.search(parameter)
    if found is None:
        raise RecordError(f"{problem.task_id}: the parameter {parameter!r} has no name")
    return found[1]


def _split(parameters: str) -> list[str]:
    """Split at the commas that stand in no bracket; an arrow's point is none."""
    parts, depth = [""], 0
    for character in parameters.replace("->", "  "):
        depth += (character in _OPENING) - (character in _CLOSING)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]
