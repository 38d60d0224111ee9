"""Reports, sweeps and comparisons as tables in the terminal. Names that programs chose are printed as plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from tabwright.corpus.report import Report as CorpusReport
    from tabwright.evaluation import Estimate, Report
    from tabwright.evaluation.reports import Comparison, Run, Sweep
    from tabwright.records import Score


def print_report(report: Report, label: str | None = None) -> None:
    """Print one run's figures, under its name where it has one."""
    console = Console()
    if label is not None:
        console.print()
        console.print(_plain(label), style="bold")
    console.print(_figures(report))
    console.print(_counts("outcome", report.outcomes))
    if report.errors:
        console.print(_counts("error of a failed sample", report.errors))
    _print_notes(console, report.notes)


def print_sweep(sweep: Sweep) -> None:
    """Print which temperature is best for which k."""
    table = Table("k", "best temperature", "pass@k", title="temperature sweep", title_justify="left")
    for temperature, group in groupby(sweep.best.items(), key=lambda pair: pair[1].temperature):
        span = list(group)
        (first, low), (last, high) = span[0], span[-1]
        values = [f"{best.value:.1%}" for best in (low, high)]
        ks = str(first) if first == last else f"{first} to {last}"
        table.add_row(ks, f"{temperature:g}", " to ".join(dict.fromkeys(values)))
    console = Console()
    console.print()
    console.print(table)
    _print_notes(console, sweep.notes)


def print_comparison(comparison: Comparison, a: Run, b: Run) -> None:
    """Print how run B differs from run A, and every problem that flipped."""
    console = Console()
    for name, run, value in zip("AB", (a, b), comparison.pass_at_1, strict=True):
        console.print(_plain(f"{name}  {run.label}  pass@1 {value:.1%}"))
    difference = comparison.difference
    console.print(
        f"difference: {difference.value:+.1%} ({difference.low:+.1%} to {difference.high:+.1%}, 95 % paired bootstrap "
        f"over {comparison.problems} problems)",
        highlight=False,
    )
    n_gained, n_lost = len(comparison.gained), len(comparison.lost)
    console.print(
        f"first samples: {comparison.both} pass in both, {comparison.neither} in neither, {n_gained} only in B, "
        f"{n_lost} only in A; McNemar's exact test p = {comparison.p_value:.3g}",
        highlight=False,
    )
    if n_gained or n_lost:
        console.print(_flips([*comparison.gained, *comparison.lost], a, b))
    _print_notes(console, comparison.notes)


def print_corpus(report: CorpusReport) -> None:
    """Print what each rule of a corpus dropped, and what is kept."""
    table = Table("rule", "files", "MB", "dropped", "dropped MB", "changed")
    for name, tally in report.rules.items():
        table.add_row(
            name, f"{tally.files:,}", f"{tally.size_bytes / 1e6:,.1f}", f"{tally.dropped:,}",
            f"{tally.dropped_bytes / 1e6:,.1f}", f"{tally.changed:,}",
        )  # fmt: skip
    console = Console()
    console.print(table)
    languages = Table("language", "documents", "MB")
    for name, (documents, size_bytes) in report.languages.items():
        languages.add_row(_plain(name), f"{documents:,}", f"{size_bytes / 1e6:,.1f}")
    languages.add_row("all", f"{report.documents:,}", f"{report.size_bytes / 1e6:,.1f}")
    console.print(languages)


def _flips(tasks: Sequence[str], a: Run, b: Run) -> Table:
    table = Table("flipped problem", "A", "B")
    first = [{score.task_id: score for score in reversed(run.scores)} for run in (a, b)]
    for task in tasks:
        table.add_row(_plain(task), *(_plain(_end(scores[task])) for scores in first))
    return table


def _end(score: Score) -> str:
    return f"{score.outcome}: {score.error:.60}" if score.error else score.outcome


def _print_notes(console: Console, notes: Sequence[str]) -> None:
    for note in notes:
        console.print(_plain(f"note: {note}"))


def _figures(report: Report) -> Table:
    title = f"{report.samples} samples of {report.sampled} of {report.problems} problems"
    table = Table("figure", "value", "95 % interval", title=title, title_justify="left")
    for k, estimate in report.pass_at.items():
        table.add_row(f"pass@{k}", f"{estimate.value:.1%}", _interval(estimate))
    for name, value in report.rankings.items():
        table.add_row(f"pass@1, chosen by {name}", "not known" if value is None else f"{value:.1%}", "")
    return table


def _interval(estimate: Estimate) -> str:
    return f"{estimate.low:.1%} to {estimate.high:.1%}"


def _counts(title: str, counts: Mapping[str, int]) -> Table:
    table = Table(title, "samples")
    for name, count in counts.items():
        table.add_row(_plain(name or "(no message)"), str(count))
    return table


def _plain(text: str) -> Text:
    """Text without markup, and with escapes for what a terminal would obey: files and programs chose it."""
    return Text("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))
