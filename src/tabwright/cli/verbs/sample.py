"""`tabwright sample`: a benchmark and a model in, samples.jsonl out; goes on where it was interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tabwright.cli import options
from tabwright.cli.benchmarks import load_problems
from tabwright.cli.engines import EngineOptions, obtain_for, start_engine

if TYPE_CHECKING:
    from tabwright.records import Problem
    from tabwright.sampling.engine import PromptStyle
    from tabwright.sampling.samples import SamplesConfig

Style = Literal["completion", "tagged", "fence", "shown-fence", "chat", "infill", "infill-spm"]


def sample_command(
    benchmark: Annotated[str, typer.Option(help=options.BENCHMARK_HELP)] = "humaneval",
    n: Annotated[int, typer.Option("-n", min=1, max=10_000, help="Samples of each problem.")] = 1,
    out: Annotated[Path, typer.Option(help="Where they go; a begun file is gone on with.")] = Path("samples.jsonl"),
    translate: Annotated[
        str, typer.Option(help="Ask to translate this benchmark's solutions: humanevalx-go, say, for humanevalx-js.")
    ] = "",
    style: Annotated[Style | None, typer.Option(help="How to ask; default: the model's best.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Only the first problems; 0 is all.")] = 0,
    temperature: options.Temperature = 0.0,
    top_p: options.TopP = 0.95,
    top_k: options.TopK = 0,
    max_tokens: Annotated[int, typer.Option(min=1, max=1_000_000, help="The most tokens of a sample.")] = 512,
    seed: Annotated[int, typer.Option(help="Sample i of a problem is drawn with seed + i.")] = 0,
    benchmarks: options.Benchmarks = None,
    model: options.Model = "",
    engine: options.Engine = "llama.cpp",
    quantize: options.Quantize = 0,
    device: options.Device = "cpu",
    remote: options.Remote = "",
    remote_key: options.RemoteKey = "",
    workers: options.Slots = 4,
    context: options.Context = 4096,
    threads: options.Threads = 0,
) -> None:
    """Draw samples of a benchmark's problems from a model."""
    from tabwright.evaluation import fingerprint
    from tabwright.sampling.samples import SamplesConfig

    published = load_problems(benchmark, benchmarks)
    problems = list(published.values())[: limit or None]
    infills = any(problem.suffix for problem in problems)
    _check(benchmark, translate, style, infills, n if temperature == 0 else 1)
    config = SamplesConfig(
        benchmark=benchmark,
        problems=fingerprint(published),
        model="",
        style=style or ("infill" if infills else "completion"),
        source=translate,
        n=n,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        max_tokens=max_tokens,
        seed=seed,
    )
    wanted = EngineOptions(
        engine=engine,
        quantize=quantize,
        device=device,
        model=model,
        remote=remote,
        remote_key=remote_key,
        slots=workers,
        context=context,
        threads=threads,
    )
    sources = _sources(problems, load_problems(translate, benchmarks)) if translate else {}
    total = asyncio.run(_sample(wanted, problems, config, style is None and not infills, sources, out))
    typer.echo(f"{out}: {total} samples; score them with `tabwright evaluate {out}`")


def _check(benchmark: str, translate: str, style: Style | None, infills: bool, greedy_samples: int) -> None:
    from tabwright.records import RecordError

    if translate == benchmark:
        raise RecordError(f"--translate {translate}: is the benchmark itself, answers and all; name another language's")
    if style and infills != style.startswith("infill"):
        remedy = "take infill or infill-spm" if infills else "those with a suffix are asked so"
        raise RecordError(f"--style {style}: does not suit {benchmark}; {remedy}, or leave it out")
    if greedy_samples > 1:
        raise RecordError(
            f"-n {greedy_samples}: greedy samples are all the same; give a --temperature above 0, such as 0.2"
        )


async def _sample(
    wanted: EngineOptions,
    problems: Sequence[Problem],
    config: SamplesConfig,
    best_style: bool,
    sources: Mapping[str, Problem],
    out: Path,
) -> int:
    from tabwright.cli.progress import count_bar
    from tabwright.sampling.models import weights_digest
    from tabwright.sampling.samples import draw_samples

    local = obtain_for(wanted)
    weights = weights_digest(local.path) if local else ""
    engine = await start_engine(wanted, local)
    try:
        style = _best_style(engine.card.prompt_style, problems) if best_style else config.style
        config = replace(config, model=engine.card.name, weights=weights, engine=wanted.runtime, style=style)
        if local and style.startswith("infill") and engine.card.infill is None:
            typer.echo(f"note: {config.model} has no infill tokens: what follows a gap is not shown to it", err=True)
        label = f"{config.benchmark}, {config.model}, {config.style} prompts"
        with count_bar(label, len(problems) * config.n) as progress:
            return await draw_samples(engine, problems, config, out, progress, sources=sources)
    finally:
        await engine.close()


def _best_style(style: PromptStyle, problems: Sequence[Problem]) -> PromptStyle:
    """The model's best style, where it suits the problems: a text stands by itself, and `chat` is for Python."""
    if any(problem.form == "text" for problem in problems):
        return "completion"
    if style == "chat" and any(problem.language != "python" for problem in problems):
        return "fence"
    return style


def _sources(problems: Sequence[Problem], others: Mapping[str, Problem]) -> dict[str, Problem]:
    """Find, for each problem, the one with the same number in another language's benchmark."""
    from tabwright.records import RecordError

    by_number = {task_id.rpartition("/")[2]: problem for task_id, problem in others.items()}
    missing = [p.task_id for p in problems if p.task_id.rpartition("/")[2] not in by_number]
    if missing:
        raise RecordError(f"--translate: no task has the number of {missing[0]}; name a benchmark of the same tasks")
    return {problem.task_id: by_number[problem.task_id.rpartition("/")[2]] for problem in problems}
