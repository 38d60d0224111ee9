"""Problems -> samples.jsonl: n completions of every problem, resumable at every sample.

The file beside it, `<name>.recipe.json`, keeps the settings; samples made with other settings are never mixed in. The
i-th sample of a problem is drawn with seed + i, so an interrupted run gives the samples that a whole one would.
Running the samples is not done here.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tabwright.records import Problem, RecordError, Sample, read_records, replacing
from tabwright.sampling.engine import Chunk, Engine, PromptError, SamplingOptions
from tabwright.sampling.samples.problems import Question, SampleStyle, ask
from tabwright.sampling.styles import code_of_reply


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplesConfig:
    """How to sample a benchmark; the fields are those of the command line.

    Attributes:
        benchmark: its name, or the file of problems.
        problems: SHA-256 of its problems; empty where nobody said.
        model: its name.
        weights: SHA-256 of its files; empty where they are another server's.
        engine: what runs it, and how: "torch, 4 bits".
        style: how a problem is asked.
        source: the benchmark whose solutions are translated; empty where nothing is.
        n: samples of each problem.
    """

    benchmark: str
    model: str
    style: SampleStyle
    problems: str = ""
    weights: str = ""
    engine: str = ""
    source: str = ""
    n: int = 1
    temperature: float = 0.0
    top_p: float = 0.95
    top_k: int = 0
    max_tokens: int = 512
    seed: int = 0


async def draw_samples(
    engine: Engine,
    problems: Sequence[Problem],
    config: SamplesConfig,
    out: Path,
    progress: Callable[[int], None] = lambda n_done: None,
    *,
    sources: Mapping[str, Problem] | None = None,
) -> int:
    """Sample every problem `config.n` times into `out`; return how many samples the file then has.

    Samples that the file already has are kept. `progress` is called with the number of samples after each one.
    `sources` are, by `task_id`, the problems whose solutions are to be translated.

    Raises:
        RecordError: `out` was made with other settings, or is not a samples file.
        EngineError: the engine failed; what is written stays.
    """
    _check_place(out)
    questions = [(problem, ask(problem, config.style, (sources or {}).get(problem.task_id))) for problem in problems]
    try:
        with FileLock(lock := out.with_name(f".{out.name}.lock"), timeout=0):
            return await _draw_locked(engine, questions, config, out, progress)
    except Timeout:
        if not lock.exists():  # no process can have it
            raise RecordError(f"{out}: no file can be made there; name another --out") from None
        raise RecordError(f"{out}: another process is sampling into it; wait for it, or name another --out") from None


async def _draw_locked(
    engine: Engine,
    questions: Sequence[tuple[Problem, Question]],
    config: SamplesConfig,
    out: Path,
    progress: Callable[[int], None],
) -> int:
    _check_recipe(out, config)
    have = _whole_samples(out)
    writer = _Writer(out, have.total(), progress)
    progress(have.total())
    at_once = asyncio.Semaphore(max(engine.slots // config.n, 1))

    async def one(problem: Problem, question: Question) -> None:
        async with at_once:
            await _draw_problem(engine, problem, question, config, have[problem.task_id], writer)

    try:
        async with asyncio.TaskGroup() as group:
            for problem, question in questions:
                if have[problem.task_id] < config.n:
                    group.create_task(one(problem, question))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return writer.n_samples


async def _draw_problem(
    engine: Engine, problem: Problem, question: Question, config: SamplesConfig, first: int, writer: _Writer
) -> None:
    options = SamplingOptions(
        max_tokens=config.max_tokens,
        temperature=config.temperature,
        top_p=config.top_p,
        top_k=config.top_k,
        seed=config.seed + first,
        stop=question.stops,
        block=question.block,
        n=config.n - first,
        whole=True,  # a score of half a prompt would be of another benchmark
    )
    drafts = [_Draft() for _ in range(options.n)]
    written = 0
    try:
        async with aclosing(engine.generate(question.prompt, options)) as chunks:
            async for chunk in chunks:
                drafts[chunk.index].add(chunk)
                while written < len(drafts) and drafts[written].finish_reason:
                    writer.write(drafts[written].sample(problem, config.style))
                    written += 1
    except PromptError as error:
        raise PromptError(f"{problem.task_id}: {error}; or give a larger --context") from None


@dataclass(slots=True)
class _Draft:
    text: str = ""
    logprobs: list[float] = field(default_factory=list)
    finish_reason: str | None = None

    def add(self, chunk: Chunk) -> None:
        self.text += chunk.text
        self.logprobs += [token.logprob for token in chunk.tokens]
        self.finish_reason = chunk.finish_reason or self.finish_reason

    def sample(self, problem: Problem, style: str) -> Sample:
        return Sample(
            task_id=problem.task_id,
            completion=code_of_reply(self.text) if style == "chat" else self.text,
            mean_logprob=sum(self.logprobs) / len(self.logprobs) if self.logprobs else None,
            n_tokens=len(self.logprobs),
            finish_reason=self.finish_reason,
        )


class _Writer:
    def __init__(self, path: Path, n_samples: int, progress: Callable[[int], None]) -> None:
        self._path = path
        self._progress = progress
        self.n_samples = n_samples

    def write(self, sample: Sample) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(sample.to_mapping(), ensure_ascii=False) + "\n")
        except OSError as error:
            error.filename = str(self._path)  # a full disk is told without a name
            raise
        self.n_samples += 1
        self._progress(self.n_samples)


def _check_place(out: Path) -> None:
    if not out.parent.is_dir() or (out.exists() and not out.is_file()):  # a folder, a pipe, a device
        raise RecordError(f"{out}: not a file in a folder that exists; name another --out")


def _check_recipe(out: Path, config: SamplesConfig) -> None:
    path = out.with_name(out.name + ".recipe.json")
    recipe: dict[str, Any] = asdict(config)
    begun = out.exists() and out.stat().st_size > 0
    if not path.exists() or not begun:  # without a sample a recipe binds nobody
        if begun:
            raise RecordError(f"{out}: made without a recipe, so it cannot be gone on with; name another --out")
        _write_recipe(path, recipe)
        return
    try:
        made_with: dict[str, Any] = {**json.loads(path.read_text())}
    except (ValueError, TypeError):
        raise RecordError(f"{path}: not a recipe; remove it and {out.name} to begin again") from None
    changed = [
        f"{key} {made_with.get(key)!r}, now {value!r}" for key, value in recipe.items() if made_with.get(key) != value
    ]
    if changed and not _only_more_samples(made_with, recipe):
        raise RecordError(f"{out}: made with other settings ({'; '.join(changed)}); name another --out")
    if changed:
        _write_recipe(path, recipe)


def _write_recipe(path: Path, recipe: dict[str, Any]) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(recipe, indent=2) + "\n")


def _only_more_samples(made_with: dict[str, Any], recipe: dict[str, Any]) -> bool:
    return {**made_with, "n": recipe["n"]} == recipe and recipe["n"] >= made_with.get("n", 0)


def _whole_samples(out: Path) -> Counter[str]:
    """Count the samples per problem, and cut off a last line that an interrupted run left torn."""
    if not out.exists():
        return Counter()
    have = Counter(sample.task_id for sample in read_records(out, Sample))  # what is no samples file stays as it is
    data = out.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with out.open("r+b") as file:
            file.truncate(whole)
    return have
