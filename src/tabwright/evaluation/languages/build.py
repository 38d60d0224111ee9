"""Sources -> programs that can be run: compilers at work in a sandbox of their own, and what they made once for all.

A compiler reads hostile text, and languages have ways to pull files into a program, so it sees nothing but tool chains.
Kits (a language's prebuilt parts) and what belongs to a problem are kept in a cache folder, under the hash of what went
into them. Tests hold expected answers: their programs lie apart from all that a compiler of samples can see.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tabwright.evaluation.languages.standing import Runner, Standing, pack, unpack
from tabwright.evaluation.languages.table import FOLDER, KIT, Language, Step, fill
from tabwright.evaluation.languages.units import Unit, unit_of
from tabwright.records import Problem, RecordError
from tabwright.sandbox import ConnectionEnded, Limits, Sandbox, Session

_LIMITS = Limits(
    timeout_s=30.0,
    memory_bytes=3 << 30,
    file_bytes=128 << 20,
    scratch_bytes=512 << 20,
    threads=256,
    open_files=256,
    answer_bytes=128 << 20,
)
# Kits are our own, and some hold a whole standard library: slow machines may take their time.
_KIT_TIMEOUT_S = 900.0
_KIT_BYTES = 512 << 20
# One source is in work at a time. It must be at its end before the scorer takes its worker for lost.
_COMPILER = Limits(timeout_s=10.0, cpu_s=24 * 3600, memory_bytes=1 << 30, open_files=256, answer_bytes=32 << 20)


class BuildError(Exception):
    """A source cannot be built; the message is what the compiler said."""


class Builder:
    """Builds one language's programs and tests; a context manager.

    Args:
        language: a row of the table.
        cache: where kits and problems' parts are kept, for all processes.
        unsafe: build even where compilers cannot be isolated.

    Attributes:
        kit: the folder of the language's prebuilt parts.
        tests: the folder of the folders with tests.

    Raises:
        RecordError: a tool is missing.
        SandboxError: compilers cannot be isolated here.
    """

    def __init__(self, language: Language, cache: Path, *, unsafe: bool = False) -> None:
        language.check()
        self.language = language
        self._stack = ExitStack()
        self._unsafe = unsafe
        self._limits = replace(_LIMITS, reserved_bytes=language.reserved_bytes)
        sources = language.sources()
        made_of = repr((language.kit, language.warm, language.found()))
        self.kit = cache / f"{language.key}-{_digest(sources, made_of)}"
        self.tests = cache / f"{self.kit.name}-tests"
        self._box: Sandbox | None = None
        self._compilers: dict[str, Standing] = {}
        try:
            if not self.kit.is_dir():
                self._make_kit(sources)
            self.tests.mkdir(parents=True, exist_ok=True)
        except BaseException:
            self.close()
            raise

    def program(self, problem: Problem, completion: str) -> dict[str, bytes]:
        """Return the files of a sample's program.

        Raises:
            BuildError: it does not compile.
            ConnectionEnded: the compiler took too long or too much.
        """
        unit = unit_of(problem, self.language)
        step = self.language.program
        return self._build(step, unit.fill(step.text, completion), self._serve(unit), compiler="programs")

    def test(self, problem: Problem) -> Path:
        """Return the folder with a problem's test, which is built the first time.

        Its compiler is not that of the programs where compilers stay: the test's text is in its memory.

        Raises:
            RecordError: it does not compile.
        """
        unit, step = unit_of(problem, self.language), self.language.test
        text = unit.fill(step.text)
        folder = self.tests / _digest({step.file: text.encode()}, repr(step))
        if not folder.is_dir():
            try:
                made = self._build(step, text, compiler="tests")
            except BuildError as error:
                raise RecordError(f"{problem.task_id}: its test does not compile: {error}") from None
            write_folder(folder, made)
        return folder

    def close(self) -> None:
        """End the compilers."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _serve(self, unit: Unit) -> str:
        """Return the name of the problem's part of a program, which is built the first time."""
        step = self.language.serve
        if not step.text:
            return ""
        text = unit.fill(step.text)
        name = _digest({step.file: text.encode()}, repr(step))
        if not (self.kit / name).is_dir():
            try:
                write_folder(self.kit / name, self._build(step, text))
            except BuildError as error:
                raise RecordError(f"the function {unit.name} cannot be called: {error}") from None
        return name

    def _make_kit(self, sources: Mapping[str, bytes]) -> None:
        language = self.language
        made = dict(sources)
        if language.kit.commands:
            made |= self._run_kit_step(language.kit, sources)
        with temporary_folder(self.kit, made) as folder:
            if language.warm.commands:
                add(folder, self._run_kit_step(language.warm, {}, folder))

    def _run_kit_step(self, step: Step, files: Mapping[str, bytes], kit: Path | None = None) -> dict[str, bytes]:
        name = self.language.name
        limits = replace(self._limits, timeout_s=_KIT_TIMEOUT_S, answer_bytes=_KIT_BYTES)
        try:
            with self._sandbox({KIT: str(kit)} if kit else {}, limits) as sandbox, _session(sandbox) as session:
                session.load()
                names = self.language.names(kit, isolated=sandbox.isolated)
                return _run(session, files, step, names, self.language.variables(names))
        except BuildError as error:
            raise RecordError(
                f"{name}: what its programs need cannot be built here: {error}; {self.language.remedy}"
            ) from None
        except ConnectionEnded as error:
            reason = type(error).__name__
            raise RecordError(f"{name}: what its programs need could not be built ({reason}); try again") from None

    def _start(self) -> Sandbox:
        """Start what runs commands, where there are any, and return its sandbox."""
        if self._box is None:
            self._box = self._stack.enter_context(self._sandbox({KIT: str(self.kit)}))
        self._compiler = self._stack.enter_context(_session(self._box))
        self._compiler.load()
        return self._box

    def _sandbox(self, shown: Mapping[str, str], limits: Limits | None = None) -> Sandbox:
        places = self.language.shown(self.language.shows) | dict(shown)
        return Sandbox(limits or self._limits, rights="processes", shown=places, unsafe=self._unsafe)

    def _build(self, step: Step, text: str, problem: str = "", compiler: str = "") -> dict[str, bytes]:
        files = {step.file: text.encode("utf-8", "surrogatepass")}
        if compiler and self.language.compiler.run:
            return self._compile(compiler, files)
        if not step.commands:
            return files
        names = self.language.names(self.kit, isolated=(self._box or self._start()).isolated)
        names["problem"] = f"{names['kit']}/{problem}"
        try:
            return _run(self._compiler, files, step, names, self.language.variables(names))
        except ConnectionEnded as error:
            self._compiler.finish(error)
            self._start()
            raise

    def _compile(self, which: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Have files compiled by a compiler that stays."""
        if which not in self._compilers:
            limits = replace(_COMPILER, reserved_bytes=self.language.reserved_bytes)
            runner = Runner(self.language, self.language.compiler, self.kit, limits, unsafe=self._unsafe)
            self._compilers[which] = self._stack.enter_context(Standing(runner))
        reply = self._compilers[which].begin(pack(files))
        if reply[:1] != b"R":
            raise BuildError(reply[1:].decode(errors="replace"))
        return unpack(reply[1:])


def make_kit(language: Language, cache: Path, *, unsafe: bool = False) -> None:
    """Build what a language's programs need, where that is not done yet; takes up to some minutes the first time.

    Raises:
        RecordError: a tool is missing, or it cannot be built.
        SandboxError: compilers cannot be isolated here.
    """
    Builder(language, cache, unsafe=unsafe).close()


def _session(sandbox: Sandbox) -> Session:
    return sandbox.session((FOLDER / "inside.py").read_text("utf-8"))


def _run(
    session: Session,
    files: Mapping[str, bytes],
    step: Step,
    places: Mapping[str, str],
    variables: Mapping[str, str],
) -> dict[str, bytes]:
    filled = [[fill(part, places) for part in command] for command in step.commands]
    session.renew()
    said, made = session.function("build")(dict(files), filled, list(step.makes), dict(variables))
    if said:
        raise BuildError(said)
    return dict(made)


def _digest(files: Mapping[str, bytes], more: str) -> str:
    digest = hashlib.sha256(more.encode())
    for name, content in sorted(files.items()):
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of programs at once, so that no one sees a half; another process may have done it first."""
    with temporary_folder(folder, files):
        pass


@contextmanager
def temporary_folder(folder: Path, files: Mapping[str, bytes]) -> Iterator[Path]:
    """Write files to a temporary folder, which becomes `folder` when the context is left without an error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        temporary.chmod(0o755)
        add(temporary, files)
        yield temporary
        try:
            os.rename(temporary, folder)  # noqa: PTH104 - Path.rename would replace an empty folder
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def add(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder, for everyone to read and run."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o755)
