"""A report -> one HTML file that needs nothing else: pictures of what each rule left, and what it dropped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape

from tabwright.corpus.passes.sieve import Tally
from tabwright.corpus.report import Report

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5b6575; --line: #d8dde5; --bar: #3b6fd4; --back: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ef; --soft: #9aa4b5; --line: #343b47; --bar: #6f9bf0; --back: #14171c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; color: var(--ink); background: var(--back);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
p { color: var(--soft); margin: .3rem 0 1rem; max-width: 44rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; }
th:first-child, td:first-child { text-align: left; }
.bar { text-align: left; width: 40%; min-width: 9rem; }
.bar i { display: block; height: .8rem; min-width: 1px; background: var(--bar); border-radius: 2px; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; } summary small { color: var(--soft); }
pre { background: color-mix(in srgb, var(--line) 35%, transparent); padding: .6rem; overflow-x: auto; margin: .4rem 0;
  font: 13px/1.45 ui-monospace, monospace; max-height: 16rem; }
"""


def build_page(report: Report) -> str:
    """Return the page."""
    first = next(iter(report.rules.values()), Tally())
    share = report.size_bytes / first.size_bytes if first.size_bytes else 0
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Corpus report</title><style>{_STYLE}</style></head><body>
<h1>{report.documents:,} documents, {_megabytes(report.size_bytes)} MB</h1>
<p>{share:.0%} of the {_megabytes(first.size_bytes)} MB in {first.files:,} files that were read.</p>
<h2>Bytes left after each rule</h2>
{_rules(report.rules)}
<h2>Languages</h2>
{_bars(("language", "documents", "MB"), _languages(report))}
<h2>Sizes</h2>
{_bars(("bytes", "documents"), ((_up_to(end), (f"{n:,}",), n) for end, n in report.sizes.items()))}
<h2>Licences</h2>
{_bars(("licence", "documents"), ((name or "unknown", (f"{n:,}",), n) for name, n in report.licences.items()))}
<h2>Clusters of similar texts</h2>
<p>One text of each is kept: the longest, and of equals the first. {report.candidates:,} pairs were compared,
{report.similar:,} were similar.</p>
{_bars(("texts in it", "clusters"), ((str(size), (f"{n:,}",), n) for size, n in report.clusters.items()))}
<h2>What each rule dropped</h2>
{"".join(_dropped(name, tally, report.reasons.get(name, {})) for name, tally in report.rules.items())}
</body></html>
"""


def _rules(rules: Mapping[str, Tally]) -> str:
    most = max((tally.size_bytes for tally in rules.values()), default=1) or 1
    rows = []
    for name, tally in rules.items():
        left = tally.size_bytes - tally.dropped_bytes
        rows.append(
            f"<tr><td>{escape(name)}</td><td>{tally.dropped:,}</td><td>{_megabytes(tally.dropped_bytes)}</td>"
            f"<td>{tally.changed:,}</td><td>{_megabytes(left)}</td>{_bar(left / most)}</tr>"
        )
    heads = "".join(f"<th>{head}</th>" for head in ("rule", "dropped", "MB dropped", "changed", "MB left", ""))
    return f'<div class="scroll"><table><tr>{heads}</tr>{"".join(rows)}</table></div>'


def _bars(heads: Iterable[str], rows: Iterable[tuple[str, tuple[str, ...], int]]) -> str:
    """Return a table with a bar at the end of each row: a name, its figures, and the bar's length."""
    listed = list(rows)
    most = max((length for *_, length in listed), default=1) or 1
    body = "".join(
        f"<tr><td>{escape(name)}</td>{''.join(f'<td>{figure}</td>' for figure in figures)}{_bar(length / most)}</tr>"
        for name, figures, length in listed
    )
    head = "".join(f"<th>{head}</th>" for head in (*heads, ""))
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def _bar(share: float) -> str:
    return f'<td class="bar"><i style="width:{share:.2%}"></i></td>'


def _languages(report: Report) -> Iterable[tuple[str, tuple[str, ...], int]]:
    for name, (documents, size_bytes) in report.languages.items():
        yield name, (f"{documents:,}", _megabytes(size_bytes)), size_bytes


def _dropped(name: str, tally: Tally, reasons: Mapping[str, int]) -> str:
    if not tally.dropped:
        return ""
    often = ", ".join(f"{escape(_visible(reason))} ({count:,})" for reason, count in reasons.items() if count > 1)
    shown = "".join(
        f"<details><summary>{escape(_visible(row['path']))} <small>{escape(_visible(row['reason']))}</small></summary>"
        f"<pre>{escape(_visible(row['text'])) or '(not read)'}</pre></details>"
        for row in tally.examples
    )
    return f"<h3>{escape(name)}</h3><p>{often}</p>{shown}"


def _visible(text: str) -> str:
    """Return a text without what no page may hold."""
    return _CONTROL.sub("\ufffd", text)


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f}"


def _up_to(end: int) -> str:
    return f"up to {end >> 10} KiB" if end else "more"
