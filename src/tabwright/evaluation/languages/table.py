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

from tabwright.records import Problem, RecordError
from tabwright.sandbox import CONNECTION

FOLDER = Path(__file__).parent
KIT = "/kit"
"""Where kits are seen."""
_SCRATCH = "/tmp/"  # noqa: S108 - a fresh one of each program's own


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """How one part is built and run; `{kit}` and `{problem}` in commands are folders, `{folder}` is the part's own.

    In commands and places, the names in the language's `places` stand for what was found on this machine.

    Attributes:
        text: the part's source, a template of a `Unit`'s fields.
        file: the name of its source file.
        commands: run one after the other in a folder that holds the source file.
        makes: the files that they make.
        run: the command that runs the part; `{heap_mib}` in it is three quarters of what its memory may be, in MiB.
        server: the command of a run time that forks such processes, where they can be isolated.
        shows: patterns of what the part sees when it runs, besides its own folder; `{kit}` among them is the kit.
        sent: its files are its process's first message, so that the process can be started before there are files.
        stays: one process does it for one problem after the other, each begun by a message with its files.
    """

    text: str = ""
    file: str = ""
    commands: tuple[tuple[str, ...], ...] = ()
    makes: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    server: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    sent: bool = False
    stays: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Packages:
    """What programs may use that is no part of the language: the user installs it, and programs see it read-only.

    Attributes:
        versions: the version of each package.
        install: the command that installs a `{package}` into a `{folder}`.
        lies: where packages lie in that folder; programs see that place as a folder of the root.
    """

    versions: Mapping[str, str]
    install: str
    lies: str

    def check(self, problem: Problem, folder: Path) -> None:
        """Raise `RecordError` where the problem's own solution names a package that is not in the folder.

        Raises:
            RecordError: the message says how to install it.
        """
        for name, version in self.versions.items():
            needed = name in problem.canonical_solution or name in problem.prompt
            if needed and not (folder / self.lies / name).is_dir():
                command = self.install.format(folder=folder, package=f"{name}@{version}")
                raise RecordError(f"{problem.task_id} needs the package {name}; run: {command}")


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
        nothing: the result type of a function that returns nothing, where no value may be given back then.
        shows: patterns of the files and folders of the host that building needs to see.
        environment: variables for all its commands.
        reserved_bytes: address space that its run time takes and never writes to.
        connection: the descriptor on which its run time's processes expect the connection.
        exhausted: finds, in what a program wrote, that it ended for want of memory.
        packages: what programs may use besides.
        kit: built once on a machine from the files in the language's own folder here.
        warm: more of the kit, built where the kit lies already: what a run time prepares for a faster start.
        compiler: runs a process that compiles one source after the other: files in, `R` and files or `X` and a report
            out. It stands in the place of commands.
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
    nothing: str
    shows: tuple[str, ...]
    environment: Mapping[str, str]
    reserved_bytes: int
    connection: int
    exhausted: re.Pattern[str] | None
    packages: Packages
    kit: Step
    warm: Step
    compiler: Step
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

    def shown(self, patterns: Sequence[str]) -> dict[str, str]:
        """Return the files and folders of this machine that match, by the places where sandboxes show them."""
        found, names = self.found(), self.names(isolated=True)
        moved = {found[name]: names[name] for name in found if found[name] != names[name]}
        paths = [path for pattern in patterns for path in _matches(fill(pattern, found))]
        return {_moved(path, moved): path for path in paths}

    def names(self, kit: Path | None = None, *, isolated: bool) -> dict[str, str]:
        """Return what names stand for in commands: what lies in /tmp is seen elsewhere, as each program has its own."""
        found = self.found()
        if isolated:
            found = {name: f"/{name}" if path.startswith(_SCRATCH) else path for name, path in found.items()}
        return found | ({"kit": KIT if isolated else str(kit)} if kit else {})

    def variables(self, names: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of its commands."""
        return {name: fill(value, names) for name, value in self.environment.items()}

    def sources(self) -> dict[str, bytes]:
        """Return the files of the language's own folder."""
        return {path.name: path.read_bytes() for path in sorted((FOLDER / self.key).iterdir()) if path.is_file()}


def fill(part: str, places: Mapping[str, str]) -> str:
    """Return a part of a command with the names of places filled in."""
    for name, place in places.items():
        part = part.replace(f"{{{name}}}", place)
    return part


def _moved(path: str, moved: Mapping[str, str]) -> str:
    return next((place + path.removeprefix(old) for old, place in moved.items() if path.startswith(old)), path)


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
        server=tuple(row.get("server", ())),
        shows=tuple(row.get("shows", ())),
        sent=row.get("sent", False),
        stays=row.get("stays", False),
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
            nothing=row.get("nothing", ""),
            shows=tuple(row["shows"]),
            environment=row.get("environment", {}),
            reserved_bytes=row.get("reserved_bytes", 0),
            connection=row.get("connection", CONNECTION),
            exhausted=re.compile(row["exhausted"]) if "exhausted" in row else None,
            packages=Packages(**({"versions": {}, "install": "", "lies": ""} | row.get("packages", {}))),
            kit=_step(row.get("kit", {})),
            warm=_step(row.get("warm", {})),
            compiler=_step(row.get("compiler", {})),
            program=_step(row["program"]),
            serve=_step(row.get("serve", {})),
            test=_step(row["test"]),
        )
        for key, row in table.items()
    }
