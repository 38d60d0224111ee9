"""`languages.toml` -> what is known of each compiled language, with its tools found on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from tabwright.records import RecordError

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """How one part is built and run; `{kit}` and `{problem}` in commands are folders, `{folder}` is the part's own.

    Attributes:
        text: the part's source, a template of a `Unit`'s fields.
        file: the name of its source file.
        commands: run one after the other in a folder that holds the source file.
        makes: the files that they make.
        run: the command that runs the part.
        shows: folders that it needs to see then, besides its own.
    """

    text: str = ""
    file: str = ""
    commands: tuple[tuple[str, ...], ...] = ()
    makes: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Language:
    """One language.

    Attributes:
        key: its name in records and in the table.
        name: its name as people write it.
        tools: programs, and patterns of files, that must be installed; `remedy` says how.
        places: what `{NAME}` stands for in `shows` and in commands: what a command prints here.
        entry: matches, at a prompt's end, the beginning of the function that is asked for.
        parameter: finds a parameter's name in its declaration.
        shows: patterns of the files and folders of the host that building needs to see.
        kit: built once on a machine from the files in the language's own folder here.
        program: the sample's program.
        serve: for each problem, the part of the program that answers calls.
        test: for each problem, its test, whose function only asks.
    """

    key: str
    name: str
    tools: tuple[str, ...]
    remedy: str
    places: Mapping[str, tuple[str, ...]]
    entry: re.Pattern[str]
    parameter: re.Pattern[str]
    shows: tuple[str, ...]
    kit: Step
    program: Step
    serve: Step
    test: Step

    def check(self) -> None:
        """Raise `RecordError` where a tool is missing; the message says how to get it."""
        for tool in self.tools:
            if not (_matches(tool) if "/" in tool else shutil.which(tool)):
                raise RecordError(f"{self.name}: {tool} is not installed here; {self.remedy}")

    def found(self) -> dict[str, str]:
        """Return what `places` stand for on this machine.

        Raises:
            RecordError: one of them fails.
        """
        try:
            return {name: _output(command) for name, command in self.places.items()}
        except (OSError, subprocess.CalledProcessError) as error:
            said = " ".join(getattr(error, "stderr", "").split())
            raise RecordError(f"{self.name}: {error} {said:.200}; {self.remedy}") from None

    def shown(self, patterns: Sequence[str]) -> list[str]:
        """Return the files and folders of this machine that match."""
        return [path for pattern in patterns for path in _matches(fill(pattern, self.found()))]

    def sources(self) -> dict[str, bytes]:
        """Return the files of the language's own folder."""
        return {path.name: path.read_bytes() for path in sorted((FOLDER / self.key).iterdir()) if path.is_file()}


def fill(part: str, places: Mapping[str, str]) -> str:
    """Return a part of a command with the names of places filled in."""
    for name, place in places.items():
        part = part.replace(f"{{{name}}}", place)
    return part


def _matches(pattern: str) -> list[str]:
    return [str(path) for path in Path("/").glob(pattern.lstrip("/"))]


@cache
def _output(command: tuple[str, ...]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _step(row: Mapping[str, Any]) -> Step:
    return Step(
        text=row.get("text", ""),
        file=row.get("file", ""),
        commands=tuple(tuple(command) for command in row.get("commands", ())),
        makes=tuple(row.get("makes", ())),
        run=tuple(row.get("run", ())),
        shows=tuple(row.get("shows", ())),
    )


@cache
def languages() -> dict[str, Language]:
    """Return every compiled language by its key."""
    table = tomllib.loads(files("tabwright.evaluation.languages").joinpath("languages.toml").read_text("utf-8"))
    return {
        key: Language(
            key=key,
            name=row["name"],
            tools=tuple(row["tools"]),
            remedy=row["remedy"],
            places={name: tuple(command) for name, command in row.get("places", {}).items()},
            entry=re.compile(row["entry"]),
            parameter=re.compile(row["parameter"]),
            shows=tuple(row["shows"]),
            kit=_step(row.get("kit", {})),
            program=_step(row["program"]),
            serve=_step(row.get("serve", {})),
            test=_step(row["test"]),
        )
        for key, row in table.items()
    }
