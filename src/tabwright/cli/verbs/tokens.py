"""`tabwright tokens`: train a tokenizer on a corpus, encode corpora into shards, look at what a model would read."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tabwright.cli.progress import count_bar

app = typer.Typer(help="Train a tokenizer, encode a corpus, look at batches.", no_args_is_help=True)
_SOURCES = "Folders that `tabwright corpus build` wrote, or .parquet files with a column `text`."
First = Annotated[list[str], typer.Option("--from", metavar="CORPUS...", help=_SOURCES)]
More = Annotated[list[str] | None, typer.Argument(metavar="CORPUS...", help="More of them.")]


@app.command("train")
def train_command(
    recipe: Annotated[Path, typer.Option("--recipe", help="A TOML file with a table [tokenizer].")],
    to: Annotated[Path, typer.Option("--to", help="Folder for tokenizer.json; must not have one.")],
    first: First,
    more: More = None,
) -> None:
    """Train a byte-level BPE on a corpus: runs of white space, and special tokens for infilling and files."""
    _need_libraries()
    from tabwright.recipe import read_recipe
    from tabwright.tokens.shards.documents import parts_of, texts_of
    from tabwright.tokens.shards.store import ShardsError
    from tabwright.tokens.training import TokenizerConfig, train_tokenizer

    config = read_recipe(recipe, "tokenizer", TokenizerConfig)
    if (to / "tokenizer.json").exists():
        raise ShardsError(f"{to}: has a tokenizer already; remove it or name another folder")
    parts = parts_of([Path(name) for name in [*first, *(more or [])]])
    n_bytes = 0

    def read() -> Iterator[str]:
        nonlocal n_bytes
        with count_bar("reading texts (bytes)", config.train_bytes) as show:
            for text in texts_of(parts, config.train_bytes):
                n_bytes += len(text.encode())
                show(n_bytes, max(n_bytes, config.train_bytes))
                yield text
        # Python hears of no Ctrl-C while the library merges. Nothing is written yet, so the system may end us.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        typer.echo("merging", err=True)

    vocab_size = train_tokenizer(config, read(), to)
    typer.echo(f"{to}: {vocab_size} tokens, trained on {n_bytes / 1e6:.1f} MB")


@app.command("encode")
def encode_command(
    tokenizer: Annotated[Path, typer.Option("--tokenizer", help="Folder of a tokenizer's files.")],
    to: Annotated[Path, typer.Option("--to", help="Folder for the shards.")],
    first: First,
    more: More = None,
    recipe: Annotated[Path | None, typer.Option("--recipe", help="A TOML file with a table [shards].")] = None,
) -> None:
    """Encode corpora into shards, on all cores. Goes on where it was interrupted."""
    _need_libraries()
    from tabwright.recipe import read_recipe
    from tabwright.tokens.shards.config import ShardsConfig
    from tabwright.tokens.shards.encoding import encode_corpus

    config = read_recipe(recipe, "shards", ShardsConfig) if recipe else ShardsConfig()
    sources = [Path(name) for name in [*first, *(more or [])]]
    with count_bar("encoding parts") as show:
        shards = encode_corpus(config, tokenizer, sources, to, show)
    typer.echo(f"{to}: {shards.n_documents:,} documents, {shards.n_tokens:,} tokens")


@app.command("inspect")
def inspect_command(
    shards: Annotated[list[Path], typer.Argument(help="Folders that `tabwright tokens encode` wrote.")],
    recipe: Annotated[Path | None, typer.Option("--recipe", help="A TOML file with a table [batches].")] = None,
    step: Annotated[int, typer.Option(min=0, help="The number of the batch.")] = 0,
) -> None:
    """Show a batch as coloured text: tokens, documents, infill marks, and what is not learned."""
    _need_libraries()
    from tabwright.cli.batches import print_batch
    from tabwright.recipe import read_recipe
    from tabwright.tokens.shards.config import BatchesConfig
    from tabwright.tokens.shards.drawing import Batches
    from tabwright.tokens.shards.encoder import Encoder
    from tabwright.tokens.shards.store import Shards

    config = read_recipe(recipe, "batches", BatchesConfig) if recipe else BatchesConfig(rows=2, length=512)
    corpora = [Shards(folder) for folder in shards]
    encoder = Encoder(corpora[0].folder / "tokenizer")
    print_batch(Batches(corpora, config, encoder).at(step), corpora, encoder.tokenizer)


def _need_libraries() -> None:
    from importlib.util import find_spec

    from tabwright.tokens import TokenizerError

    for name in ("pyarrow", "rustbpe", "fastokens", "tokenizers"):
        if find_spec(name) is None:
            raise TokenizerError(f"{name} is not installed; get it with pip install 'tabwright[corpus]'")
