"""Scored runs -> comparisons, temperature sweeps, and a page that shows any sample; one file, no network.

    run = read_run(Path("samples.jsonl"), "samples.jsonl", problems)   # scored before; or Run(...) of what is at hand
    sweep = sweep_temperatures([run, hotter])                          # None where temperatures are not known
    comparison = compare_runs(run, other)                              # flips, McNemar's test, paired difference
    write_page(Path("report.html"), build_page([run], problems))

Nothing is scored here. The page treats programs, errors and outputs as hostile text (`template/text.js`).
"""

from tabwright.evaluation.reports.comparison import Comparison, compare_runs, compare_scores, mcnemar
from tabwright.evaluation.reports.page import build_page, check_place, write_page
from tabwright.evaluation.reports.runs import Run, label_files, read_recipe, read_run, scores_beside, stem
from tabwright.evaluation.reports.sweep import Best, Sweep, sweep_temperatures

__all__ = [
    "Best",
    "Comparison",
    "Run",
    "Sweep",
    "build_page",
    "check_place",
    "compare_runs",
    "compare_scores",
    "label_files",
    "mcnemar",
    "read_recipe",
    "read_run",
    "scores_beside",
    "stem",
    "sweep_temperatures",
    "write_page",
]
