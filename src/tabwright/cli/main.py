"""The command line: arguments in, a verb's work done; what a person did wrong ends in one line and exit code 2."""

from __future__ import annotations

import sys

import typer

from tabwright import __version__
from tabwright.cli.verbs import ask, compare, complete, corpus, doctor, evaluate, models, sample, serve, tokens

app = typer.Typer(
    name="tabwright",
    help="Build, measure and run your own code model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(name="serve")(serve.serve_command)
app.command(name="complete")(complete.complete_command)
app.command(name="ask")(ask.ask_command)
app.command(name="sample")(sample.sample_command)
app.command(name="evaluate")(evaluate.evaluate_command)
app.command(name="compare")(compare.compare_command)
app.command(name="doctor")(doctor.doctor_command)
app.add_typer(models.app, name="models")
app.add_typer(corpus.app, name="corpus")
app.add_typer(tokens.app, name="tokens")


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    if version:
        typer.echo(f"tabwright {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Run the command line; the console script's entry."""
    try:
        app()
    except OSError as error:  # a full disk, a folder that may not be written to
        typer.echo(f"tabwright: {error.filename or 'a file'}: {error.strerror or error}", err=True)
        sys.exit(2)
    except Exception as error:
        if not isinstance(error, _expected_errors()):
            raise
        typer.echo(f"tabwright: {error}", err=True)
        sys.exit(2)


def _expected_errors() -> tuple[type[Exception], ...]:
    """The errors whose message is meant for the person at the terminal; imported only once something went wrong."""
    from tabwright.assistant import UnknownLanguageError
    from tabwright.corpus import CorpusError
    from tabwright.download import DownloadError
    from tabwright.model import ConfigError, WeightsError
    from tabwright.ray_cluster import ClusterError
    from tabwright.recipe import RecipeError
    from tabwright.records import RecordError
    from tabwright.sampling import EngineError
    from tabwright.sandbox import SandboxError
    from tabwright.serving.settings import SettingsError
    from tabwright.tokens import TokenizerError
    from tabwright.tokens.shards.store import ShardsError

    model = (ConfigError, WeightsError, TokenizerError, ShardsError)
    data = (CorpusError, RecipeError, RecordError)
    return (EngineError, DownloadError, ClusterError, SandboxError, UnknownLanguageError, SettingsError, *data, *model)
