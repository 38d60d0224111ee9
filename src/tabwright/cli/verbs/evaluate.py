"""`tabwright evaluate`: samples in, scores, a table and a page out; goes on where it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tabwright.cli import options
from tabwright.cli.benchmarks import load_problems
from tabwright.cli.progress import count_bar

if TYPE_CHECKING:
    from tabwright.evaluation import ScoringSettings
    from tabwright.evaluation.reports import Run, Sweep
    from tabwright.records import Problem, Sample


def evaluate_command(
    samples: Annotated[list[Path], typer.Argument(help="Files of samples; openai/human-eval's own files do too.")],
    benchmark: Annotated[
        str, typer.Option(help=f"{options.BENCHMARK_HELP} Without it, the one that was sampled, else humaneval.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Where the scores go; default: beside the samples.")] = None,
    report: options.ReportPath = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for each program.")] = 3.0,
    workers: Annotated[int, typer.Option(min=0, max=256, help="Processes; 0 takes all cores.")] = 0,
    ray: Annotated[str, typer.Option(help="Address of a Ray cluster whose processors do the work.")] = "",
    package: Annotated[list[str] | None, typer.Option(help="Installed package that programs may import.")] = None,
    as_published: Annotated[
        bool, typer.Option("--as-published", help="Leave known faults of the benchmark's data as they are.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Score everything again.")] = False,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Run programs even where they cannot be isolated.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    benchmarks: options.Benchmarks = None,
) -> None:
    """Run samples against their tests, in a sandbox, and report pass@k.

    Several files, of one benchmark, are reported side by side; their temperatures are those of the .recipe.json files
    beside them.
    """
    from tabwright.cli import tables
    from tabwright.evaluation import ScoringSettings, faults_of
    from tabwright.evaluation.reports import build_page, sweep_temperatures, write_page
    from tabwright.records import is_cut_short

    places = _scores_places(samples, out)
    page = _page_place(places, report)
    name = benchmark or _sampled(samples)
    problems = load_problems(name, benchmarks, as_published=as_published)
    settings = ScoringSettings(
        timeout_s=timeout, packages=tuple(package or ()), unsafe=unsafe, as_published=as_published
    )
    runs = _score(samples, places, problems, settings, workers or None, ray or None, fresh)
    for path in filter(is_cut_short, samples):
        typer.echo(f"note: {path}: its last line is cut short and left out", err=True)
    scored = {score.task_id for run in runs for score in run.scores}
    for fault in [] if as_published else faults_of(name):
        if fault.task_id in scored:
            typer.echo(f"note: {fault.task_id} is mended ({fault.what}); --as-published leaves it", err=True)
    sweep = sweep_temperatures(runs)
    write_page(page, build_page(runs, problems, sweep=sweep))
    if as_json:
        typer.echo(json.dumps(_machine_report(samples, places, page, runs, sweep), indent=2))
        return
    for run in runs:
        tables.print_report(run.report, run.label if len(runs) > 1 else None)
    if sweep:
        tables.print_sweep(sweep)
    for place in places:
        typer.echo(f"scores: {place}")
    typer.echo(f"report: {page}")


def _sampled(samples: Sequence[Path]) -> str:
    """Return the benchmark that the recipes beside the samples name."""
    from tabwright.evaluation.reports import read_recipe
    from tabwright.records import RecordError

    named = {read_recipe(path).get("benchmark", "humaneval") for path in samples}
    if len(named) > 1:
        raise RecordError(f"the files are of several benchmarks: {', '.join(sorted(named))}; evaluate them one by one")
    return str(named.pop())


def _scores_places(samples: Sequence[Path], out: Path | None) -> list[Path]:
    from tabwright.evaluation.reports import scores_beside
    from tabwright.records import RecordError

    if out and len(samples) > 1:
        raise RecordError(f"--out {out}: is for one file of samples; leave it out, and scores go beside each file")
    if out and not out.parent.is_dir():
        raise RecordError(f"--out {out}: there is no folder {out.parent}; make it, or choose another place")
    places = [out] if out else [scores_beside(path) for path in samples]
    for number, place in enumerate(places):
        if place.resolve() in [other.resolve() for other in places[:number]]:
            raise RecordError(
                f"{samples[number]}: another file has its scores in {place.name} too; name each file once"
            )
    return places


def _page_place(scores: Sequence[Path], wanted: Path | None) -> Path:
    from tabwright.evaluation.reports import check_place, stem

    others = f"-and-{len(scores) - 1}-more" if len(scores) > 1 else ""
    place = wanted or scores[0].parent / f"{stem(scores[0])}{others}.report.html"
    check_place(place)
    return place


def _score(
    paths: Sequence[Path],
    places: Sequence[Path],
    problems: dict[str, Problem],
    settings: ScoringSettings,
    workers: int | None,
    ray: str | None,
    fresh: bool,
) -> list[Run]:
    """Score each file; all are read first, so that a wrong one is found before hours are spent on another."""
    from tabwright.evaluation import build_report, read_samples, read_scores, score_samples
    from tabwright.evaluation.reports import Run, label_files, read_recipe
    from tabwright.sampling.models import cache_folder

    files: list[tuple[list[Sample], dict[str, Any]]] = [(read_samples(p, problems), read_recipe(p)) for p in paths]
    runs = []
    for path, place, label, (samples, recipe) in zip(paths, places, label_files(paths), files, strict=True):
        with count_bar(f"scoring {path.name}", len(samples)) as progress:
            scores = score_samples(
                path,
                problems,
                place,
                settings=settings,
                workers=workers,
                ray=ray,
                fresh=fresh,
                kits=cache_folder() / "kits",
                on_score=lambda score, n_done, n_all, progress=progress: progress(n_done),  # type: ignore[misc]
            )
        header, _ = read_scores(place)
        report = build_report(scores, problems)
        runs.append(Run(label=label, report=report, header=header, scores=scores, samples=samples, recipe=recipe))
    return runs


def _machine_report(
    samples: Sequence[Path], places: Sequence[Path], page: Path, runs: Sequence[Run], sweep: Sweep | None
) -> dict[str, Any]:
    """One file's report as one object; of several files, a list of such objects and the sweep."""
    rows = [
        asdict(run.report)
        | {"samples_file": str(path), "scores_file": str(place), "temperature": run.temperature, "recipe": run.recipe}
        for path, place, run in zip(samples, places, runs, strict=True)
    ]
    if len(rows) == 1:
        return rows[0] | {"report_file": str(page)}
    return {"runs": rows, "sweep": sweep and asdict(sweep), "report_file": str(page)}
