"""`tabwright doctor`: what this machine has for Tabwright, what is missing, and how to get it."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass

import typer


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is there, what to know about it, and whether nothing works without it."""

    group: str
    name: str
    present: bool
    detail: str
    needed: bool = False


def doctor_command() -> None:
    """Look at engine, models, sandbox and tool chains; exit code 1 if completions or scores cannot work."""
    from rich.console import Console
    from rich.table import Table

    findings = list(_findings())
    table = Table("", "what", "", "detail")
    for finding in findings:
        table.add_row(finding.group, finding.name, "yes" if finding.present else "no", finding.detail)
    Console().print(table)
    if not all(finding.present for finding in findings if finding.needed):
        raise typer.Exit(1)


def _findings() -> Iterator[Finding]:
    yield Finding("machine", f"{platform.system()} {platform.machine()}", True, f"{len(os.sched_getaffinity(0))} cores")
    yield from _engine()
    yield from _models()
    yield from _sandbox()
    yield from _tool_chains()


def _tool_chains() -> Iterator[Finding]:
    from tabwright.evaluation.languages import languages
    from tabwright.records import RecordError

    for language in languages().values():
        try:
            language.check()
        except RecordError as error:
            yield Finding("tool chain", language.name, False, str(error))
        else:
            yield Finding("tool chain", language.name, True, ", ".join(language.tools))


def _engine() -> Iterator[Finding]:
    try:
        importlib.import_module("xllamacpp")
    except ImportError as error:
        remedy = "apt install libgomp1" if "libgomp" in str(error) else "pip install xllamacpp"
        yield Finding("engine", "llama.cpp", False, f"{error}; {remedy}", needed=True)
        return
    yield Finding("engine", "llama.cpp", True, f"xllamacpp {importlib.metadata.version('xllamacpp')}", needed=True)


def _models() -> Iterator[Finding]:
    from tabwright.sampling.models import locate, registered_models

    for row in registered_models():
        here = locate(row.name)
        yield Finding(
            "model", row.name, here is not None, str(here.path) if here else f"tabwright models pull {row.name}"
        )


def _sandbox() -> Iterator[Finding]:
    from tabwright.sandbox import features

    found = features()
    for layer, reason in found.layers.items():
        yield Finding("sandbox", layer, not reason, reason)
    yield Finding("sandbox", "ready to score", found.ready, found.remedy, needed=True)
