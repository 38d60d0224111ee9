"""`tabwright models`: list, pull, show and remove model files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tabwright.cli.engines import obtain
from tabwright.cli.verbs import conversion

if TYPE_CHECKING:
    from tabwright.sampling.models import LocalModel

app = typer.Typer(help="List, pull, show, remove, import and export models.", no_args_is_help=True)
app.command("import")(conversion.import_command)
app.command("export")(conversion.export_command)
Reference = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="A name, a file, hf:..., or an address with a hash.")
]


@app.command("list")
def list_command() -> None:
    """List the models that can be asked for by name, and other models that were downloaded."""
    from rich.console import Console
    from rich.table import Table

    from tabwright.sampling.models import default_model, locate, models_folder, registered_models

    table = Table("name", "model", "size", "licence", "here")
    table.columns[0].no_wrap = True
    known = set()
    for row in registered_models():
        here = locate(row.name)
        known.add(models_folder() / f"{row.name}.gguf")
        name = f"{row.name} (default)" if row.name == default_model() else row.name
        table.add_row(name, row.title, _megabytes(row.size_bytes), row.licence, "yes" if here else "no")
    for path in sorted(models_folder().rglob("*.gguf")):
        if path not in known:
            table.add_row(str(path), "", _megabytes(path.stat().st_size), "", "yes")
    Console().print(table)


@app.command("pull")
def pull_command(reference: Reference) -> None:
    """Download a model, unless it is here, and print where it is."""
    typer.echo(obtain(reference).path)


@app.command("show")
def show_command(reference: Reference) -> None:
    """Print what is known of a model: architecture, size, context, quantisation, licence, infill tokens."""
    from tabwright.sampling.models import ModelNotFoundError, locate

    found = locate(reference)
    if found is None:
        raise ModelNotFoundError(f"{reference}: not downloaded; get it with `tabwright models pull {reference}`")
    for name, value in _facts(found).items():
        typer.echo(f"{name:16}{value}")


@app.command("remove")
def remove_command(reference: Reference) -> None:
    """Delete a downloaded model."""
    from tabwright.sampling.models import remove

    typer.echo(f"removed {remove(reference)}")


def _facts(model: LocalModel) -> dict[str, str]:
    from tabwright.sampling.models import read_gguf

    gguf = read_gguf(model.path)
    infill = gguf.infill_tokens()
    return {
        "name": model.name,
        "file": str(Path(model.path).absolute()),
        "architecture": gguf.architecture,
        "parameters": f"{gguf.n_parameters:,} stored",
        "context length": f"{gguf.context_length:,} tokens",
        "quantisation": gguf.quantisation,
        "size": f"{_megabytes(gguf.size_bytes)} ({gguf.size_bytes:,} bytes)",
        "licence": model.licence or gguf.licence,
        "infill tokens": f"{infill.prefix} {infill.suffix} {infill.middle}" if infill else "none",
        "chat template": "yes" if gguf.has_chat else "no",
    }


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.0f} MB"
