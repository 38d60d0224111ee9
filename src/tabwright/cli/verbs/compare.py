"""`tabwright compare A B`: two scored runs in, which problems flipped and whether that may be chance out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tabwright.cli import options
from tabwright.cli.benchmarks import load_problems

if TYPE_CHECKING:
    from tabwright.evaluation.reports import Run
    from tabwright.records import Problem


def compare_command(
    a: Annotated[Path, typer.Argument(help="A file of scores, or of samples with its scores beside it.")],
    b: Annotated[Path, typer.Argument(help="The other one, of the same benchmark.")],
    benchmark: Annotated[
        str | None,
        typer.Option(help="Where the page's prompts and tests come from; default: the recipe's."),
    ] = None,
    report: options.ReportPath = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
    benchmarks: options.Benchmarks = None,
) -> None:
    """Compare two runs: which problems flipped, McNemar's exact test, and the difference in pass@1.

    A problem flips where its first sample passes in one run alone; the difference is of all samples.
    """
    from tabwright.cli import tables
    from tabwright.evaluation.reports import (
        build_page,
        check_place,
        compare_runs,
        label_files,
        read_run,
        stem,
        write_page,
    )
    from tabwright.records import RecordError

    if a.resolve() == b.resolve():
        raise RecordError(f"{b}: is the first run itself; name another one to compare it with")
    page = report or b.parent / f"{stem(a)}-against-{stem(b)}.report.html"
    check_place(page)
    labels = label_files([a, b])
    runs = [read_run(path, label) for path, label in zip((a, b), labels, strict=True)]
    comparison = compare_runs(*runs)
    problems = _find_problems(runs, benchmark, benchmarks)
    write_page(page, build_page(runs, problems, comparison=comparison))
    if as_json:
        typer.echo(json.dumps({"a": str(a), "b": str(b), **asdict(comparison), "report_file": str(page)}, indent=2))
        return
    tables.print_comparison(comparison, *runs)
    typer.echo(f"report: {page}")


def _find_problems(runs: list[Run], benchmark: str | None, folder: Path | None) -> dict[str, Problem] | None:
    """Return the problems that the runs were scored against; None where they are not to be had and nobody insists."""
    from tabwright.download import DownloadError
    from tabwright.evaluation import fingerprint
    from tabwright.records import RecordError

    name = benchmark or next((str(run.recipe["benchmark"]) for run in runs if "benchmark" in run.recipe), "humaneval")
    try:
        for as_published in (False, True):
            problems = load_problems(name, folder, as_published=as_published)
            if fingerprint(problems) == runs[0].header.problems:
                return problems
        raise RecordError(f"{name}: is not the benchmark that was scored; name it with --benchmark")
    except (RecordError, DownloadError) as error:
        if benchmark:
            raise
        typer.echo(f"note: the page is without prompts and tests: {error}", err=True)
        return None
