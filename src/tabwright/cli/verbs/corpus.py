"""`tabwright corpus`: build a corpus by a recipe, take functions out of it, try a rule on a file, list the rules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tabwright.cli import options
from tabwright.cli.benchmarks import load_problems
from tabwright.cli.progress import stage_bars

if TYPE_CHECKING:
    from tabwright.corpus import CorpusConfig
    from tabwright.records import Problem

app = typer.Typer(help="Build a corpus from repositories, and try its rules.", no_args_is_help=True)
_INTERRUPTED = 130
Recipe = Annotated[Path, typer.Option("--recipe", help="A TOML file with a table [corpus].")]


@app.command("build")
def build_command(
    recipe: Recipe,
    to: Annotated[Path, typer.Option("--to", help="Folder for documents, dropped files and the report.")],
    first: Annotated[list[str], typer.Option("--from", metavar="SOURCE...", help="The sources, after one another.")],
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE...", help="A folder, git repository[@REVISION], archive, .parquet, .jsonl."),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, max=256, help="Processes; 0 takes all cores.")] = 0,
    ray: Annotated[str, typer.Option(help="Address of a Ray cluster whose machines see the same files.")] = "",
    benchmarks: options.Benchmarks = None,
) -> None:
    """Build a corpus: rules, duplicates, benchmarks kept out, and a report. Goes on where it was interrupted."""
    from tabwright.cli.tables import print_corpus

    _need_libraries()
    from tabwright.corpus.build import build_corpus

    config = _read(recipe)
    problems = _benchmarks(config, benchmarks)
    n_workers = workers or os.cpu_count() or 1
    try:
        with stage_bars() as show:
            report = build_corpus(
                config, [*first, *(more or [])], to, problems=problems, n_workers=n_workers, ray=ray, progress=show
            )
    except KeyboardInterrupt:
        typer.echo("\nstopped; the same command goes on from here", err=True)
        os._exit(_INTERRUPTED)  # Daft's threads may be at work still, and would abort an interpreter that ends
    print_corpus(report)
    typer.echo(f"documents: {to / 'documents'}")
    typer.echo(f"report: {to / 'report.html'}")


@app.command("try")
def try_command(
    rule: Annotated[str, typer.Argument(help="Its name; `tabwright corpus rules` lists them.")],
    file: Annotated[Path, typer.Argument(help="A file of source code.")],
    recipe: Annotated[Path | None, typer.Option("--recipe", help="Whose settings hold; else the defaults.")] = None,
    benchmarks: options.Benchmarks = None,
) -> None:
    """Show what one rule does to one file: dropped and why, changed and how, or kept."""
    _need_libraries()
    from tabwright.corpus import CorpusConfig
    from tabwright.corpus.trying import try_rule

    config = _read(recipe) if recipe else CorpusConfig(rules=(rule,))
    outcome = try_rule(rule, file, config, _benchmarks(CorpusConfig(rules=(rule,)), benchmarks))
    typer.echo(outcome)


@app.command("functions")
def functions_command(
    corpus: Annotated[Path, typer.Argument(help="A folder that `tabwright corpus build` wrote.")],
    to: Annotated[Path, typer.Option("--to", help="The Parquet file to write.")],
) -> None:
    """Take out the Python functions that have docstrings and need nothing of their file but imports."""
    _need_libraries()
    from tabwright.corpus.functions import extract_functions

    n_functions, n_doctests = extract_functions(corpus, to)
    typer.echo(f"{to}: {n_functions} functions, {n_doctests} with doctests")


@app.command("rules")
def rules_command() -> None:
    """List the rules, one line each."""
    _need_libraries()
    from rich.console import Console
    from rich.table import Table

    from tabwright.corpus.rules import RULES

    table = Table("rule", "what it does")
    for name, what in RULES.items():
        table.add_row(name, what)
    Console().print(table)


def _read(recipe: Path) -> CorpusConfig:
    from tabwright.corpus import CorpusConfig
    from tabwright.recipe import read_recipe

    return read_recipe(recipe, "corpus", CorpusConfig)


def _benchmarks(config: CorpusConfig, folder: Path | None) -> Sequence[Problem]:
    """Return the problems of every benchmark there is, each data file's once, if a rule asks for them."""
    from tabwright.evaluation import benchmarks

    if "contamination" not in config.rules:
        return []
    names = {row["file"]: name for name, row in reversed(benchmarks().items())}.values()
    return [problem for name in names for problem in load_problems(name, folder).values()]


def _need_libraries() -> None:
    from importlib.util import find_spec

    from tabwright.corpus import CorpusError

    for name in ("pyarrow", "rensa", "enry", "daft", "tree_sitter_python"):
        if find_spec(name) is None:
            raise CorpusError(f"{name} is not installed; get it with pip install 'tabwright[corpus]'")
