"""`tabwright evaluate`: samples.jsonl in, scores.jsonl and a table out; goes on where it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tabwright.cli import options
from tabwright.cli.benchmarks import load_problems
from tabwright.cli.progress import count_bar

if TYPE_CHECKING:
    from tabwright.evaluation import Estimate, Report


def evaluate_command(
    samples: Annotated[Path, typer.Argument(help="A file of samples; openai/human-eval's own files do too.")],
    benchmark: Annotated[str, typer.Option(help=options.BENCHMARK_HELP)] = "humaneval",
    out: Annotated[Path | None, typer.Option(help="Where the scores go; default: beside the samples.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for each program.")] = 3.0,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 takes all cores.")] = 0,
    package: Annotated[list[str] | None, typer.Option(help="Installed package that programs may import.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Score everything again.")] = False,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Run programs even where they cannot be isolated.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    benchmarks: options.Benchmarks = None,
) -> None:
    """Run samples against their tests, in a sandbox, and report pass@k."""
    from tabwright.evaluation import ScoringSettings, build_report, read_samples, score_samples

    problems = load_problems(benchmark, benchmarks)
    n_samples = len(read_samples(samples, problems))
    target = out or samples.with_name(samples.name.removesuffix(".gz").removesuffix(".jsonl") + ".scores.jsonl")
    settings = ScoringSettings(timeout_s=timeout, packages=tuple(package or ()), unsafe=unsafe)
    with count_bar(f"scoring {samples.name}", n_samples) as progress:
        scores = score_samples(
            samples,
            problems,
            target,
            settings=settings,
            workers=workers or None,
            fresh=fresh,
            on_score=lambda score, n_done, n_all: progress(n_done),
        )
    report = build_report(scores, problems)
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2))
        return
    print_report(report)
    typer.echo(f"scores: {target}")


def print_report(report: Report) -> None:
    """Print a report as tables."""
    from rich.console import Console

    console = Console()
    console.print(_figures(report))
    console.print(_counts("outcome", report.outcomes))
    if report.errors:
        console.print(_counts("error of a failed sample", report.errors))
    for note in report.notes:
        console.print(f"note: {note}", highlight=False)


def _figures(report: Report) -> object:
    from rich.table import Table

    title = f"{report.samples} samples of {report.sampled} of {report.problems} problems"
    table = Table("figure", "value", "95 % interval", title=title, title_justify="left")
    for k, estimate in report.pass_at.items():
        table.add_row(f"pass@{k}", f"{estimate.value:.1%}", _interval(estimate))
    for name, value in report.rankings.items():
        table.add_row(f"pass@1, chosen by {name}", "not known" if value is None else f"{value:.1%}", "")
    return table


def _interval(estimate: Estimate) -> str:
    return f"{estimate.low:.1%} to {estimate.high:.1%}"


def _counts(title: str, counts: Mapping[str, int]) -> object:
    from rich.table import Table
    from rich.text import Text

    table = Table(title, "samples")
    for name, count in counts.items():
        table.add_row(Text(name or "(no message)"), str(count))  # no markup: a program chose the name
    return table
