"""Runs -> one HTML file that needs nothing else: no network, no script or font of another place.

What a model wrote only ever stands in it as Base64 of compressed JSON. The page's own script opens that
(`template/data.js`) and puts texts into the document as texts; its content security policy names the hash of that
script and of the style, and forbids every other script, every request, and making markup from strings.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from tabwright.evaluation.reports.comparison import Comparison
from tabwright.evaluation.reports.contents import collect
from tabwright.evaluation.reports.runs import Run
from tabwright.evaluation.reports.sweep import Sweep
from tabwright.records import Problem, RecordError, replacing

# In the order in which they use one another; together they are one script.
_SCRIPTS = ["text", "data", "marks", "chart", "figures", "sweep", "choice", "flips", "grid", "sample", "main"]
_POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; img-src data:; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_ENDINGS = (".html", ".htm")


def build_page(
    runs: Sequence[Run],
    problems: Mapping[str, Problem] | None,
    *,
    sweep: Sweep | None = None,
    comparison: Comparison | None = None,
) -> str:
    """Return the page of one or several runs of a benchmark.

    Args:
        runs: at least one; with a comparison, the two that were compared.
        problems: the benchmark; without it the page has completions, but neither prompts nor tests.
        sweep: shown where given.
        comparison: shown where given.
    """
    contents = collect(runs, problems, sweep, comparison)
    template = files("tabwright.evaluation.reports").joinpath("template")
    style = template.joinpath("page.css").read_text(encoding="utf-8")
    script = "".join(template.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    return Template(template.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        policy=_POLICY.format(script=_hash(script), style=_hash(style)),
        style=style,
        script=script,
        data="\n".join([_block("summary", contents.summary), *(_block(*piece) for piece in contents.pieces.items())]),
    )


def check_place(path: Path) -> None:
    """Refuse a place for a page before any work is done.

    Raises:
        RecordError: the folder is missing, or the name does not end as a page's does: so neither samples nor scores are
            ever written over.
    """
    if path.suffix not in _ENDINGS:
        raise RecordError(f"{path}: a report is a page; choose a name that ends in .html")
    if not path.parent.is_dir():
        raise RecordError(f"{path}: there is no folder {path.parent}; make it, or choose another place with --report")


def write_page(path: Path, page: str) -> None:
    """Write a page at once: under a temporary name, then renamed, so that no reader sees a half.

    Raises:
        RecordError: it cannot be written there.
    """
    check_place(path)
    try:
        with replacing(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
    except OSError as error:
        raise RecordError(f"{path}: cannot be written: {error.strerror}; choose another place with --report") from None


def _block(name: str, data: Mapping[str, Any]) -> str:
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    packed = base64.b64encode(zlib.compress(text.encode(), 6)).decode()
    return f'<script type="text/plain" id="{name}">{packed}</script>'


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
