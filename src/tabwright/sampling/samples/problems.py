"""A problem and a prompt style -> the prompt, and where a sample of it ends.

A translation shows the same task's solution in another language (Zheng et al. 2023, section 4.3 and appendix).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from tabwright.records import Problem, RecordError
from tabwright.sampling.blocks import Block
from tabwright.sampling.engine import ChatPrompt, InfillOrder, InfillPrompt, Message, Prompt, PromptStyle, TextPrompt
from tabwright.sampling.styles import FENCE, style_prompt

InfillStyle = Literal["infill", "infill-spm"]
SampleStyle = PromptStyle | InfillStyle
_ORDERS: dict[InfillStyle, InfillOrder] = {"infill": "psm", "infill-spm": "spm"}


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleLanguage:
    """A language of benchmarks; see `languages.toml`."""

    name: str
    fence: str
    tag: str
    stops: tuple[str, ...] = ()
    lexer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is asked for one problem: a sample ends at a stop string, or where the block ends."""

    prompt: Prompt
    stops: tuple[str, ...] = ()
    block: Block | None = None


@cache
def _languages() -> dict[str, SampleLanguage]:
    text = files("tabwright.sampling.samples").joinpath("languages.toml").read_text(encoding="utf-8")
    return {
        key: SampleLanguage(
            name=row["name"],
            fence=row["fence"],
            tag=row["tag"],
            stops=tuple(row.get("stops", ())),
            lexer=row.get("lexer", ""),
        )
        for key, row in tomllib.loads(text).items()
    }


def _language(problem: Problem) -> SampleLanguage:
    row = _languages().get(problem.language)
    if row is None:
        known = ", ".join(_languages())
        raise RecordError(f"{problem.task_id}: language {problem.language!r} is unknown; known are {known}")
    return row


def ask(problem: Problem, style: SampleStyle, source: Problem | None = None) -> Question:
    """Return the question for a problem.

    Args:
        problem: what is to be solved.
        style: how it is asked.
        source: the same task in another language, to be translated.

    Raises:
        RecordError: the style does not suit the problem.
    """
    language = _language(problem)
    if style == "infill" or style == "infill-spm":
        # A model that does not end where the suffix begins goes on to other functions: they do not belong in between.
        between = InfillPrompt(prefix=problem.prompt, suffix=problem.suffix, order=_ORDERS[style])
        return Question(prompt=between, stops=_stops(problem, language))
    if source is not None:
        prompt, stops = _translate(problem, language, source, style)
    elif problem.form == "text":
        if style not in ("completion", "tagged"):
            raise RecordError(f"--style {style}: {problem.task_id} is asked as a text; only completion suits it")
        prompt, stops = TextPrompt(text=problem.prompt, cut=True), ()
    else:
        prompt, stops = style_prompt(
            style, problem.prompt, language=language.name, fence=language.fence, tag=language.tag
        )
    if style == "chat":
        if language.lexer:
            raise RecordError(f"--style chat: a whole {language.name} program cannot follow its own beginning")
        return Question(prompt=prompt, stops=stops)
    return Question(prompt=prompt, stops=(*stops, *_stops(problem, language)), block=_block(problem, language))


def _stops(problem: Problem, language: SampleLanguage) -> tuple[str, ...]:
    return language.stops if problem.stops is None else tuple(problem.stops)


def _block(problem: Problem, language: SampleLanguage) -> Block | None:
    return Block(before=problem.prompt, lexer=language.lexer) if language.lexer else None


def _translate(
    problem: Problem, language: SampleLanguage, source: Problem, style: SampleStyle
) -> tuple[Prompt, tuple[str, ...]]:
    if not (problem.declaration and source.declaration and source.canonical_solution):
        raise RecordError(
            f"{problem.task_id}: a translation needs declarations and a solution, as HumanEval-X has them"
        )
    spoken = _language(source)
    solution = f"{source.declaration}{source.canonical_solution}".strip("\n")
    if style in ("completion", "tagged"):
        text = f"code translation\n{spoken.name}:\n{solution}\n\n{language.name}:\n{problem.declaration}"
        return TextPrompt(text=text, cut=True), ()
    if style == "chat":
        raise RecordError("--style chat: a translation is asked as completion or in a fence")
    request = f"Translate the following {spoken.name} code into {language.name}. Write only code."
    content = f"{request}\n\n{FENCE}{spoken.fence}\n{solution}\n{FENCE}"
    opening = f"{FENCE}{language.fence}\n{problem.declaration.lstrip(chr(10))}"
    return ChatPrompt(messages=(Message(role="user", content=content),), opening=opening), (f"\n{FENCE}",)
