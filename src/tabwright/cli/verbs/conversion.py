"""`tabwright models import` and `export`: weights and tokenizer from any known layout into any other."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tabwright.cli.progress import count_bar

if TYPE_CHECKING:
    from tabwright.model.decoder import Decoder


Dtype = Literal["stored", "float32", "float16", "bfloat16"]
Quantisation = Literal["f32", "f16", "q8_0", "q4_0", "q4_1"]
Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE",
        help="A model's folder (Hugging Face's, Meta's, THUDM's, our own), a .gguf file or a state dict.",
    ),
]
Tokenizer = Annotated[
    Path | None, typer.Option("--tokenizer", help="Folder or .gguf file of the tokenizer, where it is not in SOURCE.")
]
KeptIn = Annotated[
    Dtype, typer.Option("--dtype", help="What weights are kept in; what is quantised counts as float32.")
]


def import_command(
    source: Source,
    to: Annotated[Path, typer.Option("--to", help="The folder to write; it must not be there yet, or be empty.")],
    dtype: KeptIn = "stored",
    tokenizer: Tokenizer = None,
    chat: Annotated[
        str, typer.Option(help="A chat template for files that bring none, as Meta's do: llama-instruct.")
    ] = "",
) -> None:
    """Read weights in any known layout, and write them with their tokenizer as a folder of our own."""
    from tabwright.model.checkpoint import save
    from tabwright.tokens.opening import write_chat_template

    _check_place(to, tokenizer)
    decoder = _load(source, dtype)
    with _new_folder(to) as folder:
        save(decoder, folder)
        _keep_tokenizer(tokenizer or source, folder)
        if chat:
            write_chat_template(chat, folder)
    typer.echo(to)


def export_command(
    source: Source,
    to: Annotated[Path, typer.Option("--to", help="A .gguf file for llama.cpp, or a folder for transformers.")],
    quantize: Annotated[
        Quantisation | None, typer.Option("--quantize", help="What a GGUF file keeps matrices in; default: f16.")
    ] = None,
    dtype: KeptIn = "stored",
    tokenizer: Tokenizer = None,
) -> None:
    """Write weights and tokenizer as others read them: GGUF for llama.cpp, or Hugging Face's layout."""
    from tabwright.model import WeightsError
    from tabwright.model.export import export_gguf, export_hugging_face

    _check_place(to, tokenizer)
    if quantize and to.suffix != ".gguf":
        raise WeightsError(f"--quantize {quantize}: is for GGUF; --to {to} names a folder, which --dtype suits")
    decoder = _load(source, dtype)
    if to.suffix == ".gguf":
        fields = _gguf_fields(tokenizer or source, decoder.config.vocab_size)
        export_gguf(decoder, to, quantisation=quantize or "f16", metadata=fields)
    else:
        with _new_folder(to) as folder:
            export_hugging_face(decoder, folder)
            _keep_tokenizer(tokenizer or source, folder)
    typer.echo(to)


def _load(source: Path, dtype: Dtype) -> Decoder:
    from tabwright.model import WeightsError

    try:
        import torch
    except ImportError:
        raise WeightsError("torch is not installed; get it with pip install 'tabwright[train]'") from None
    from tabwright.model.checkpoint import open_checkpoint

    checkpoint = open_checkpoint(source)
    kept = checkpoint.dtype if dtype == "stored" else getattr(torch, dtype)
    with count_bar(f"reading {source.name}") as show:
        return checkpoint.load(dtype=kept, progress=show)


def _check_place(place: Path, tokenizer: Path | None) -> None:
    """Look, before anything long is done, whether the result can be written."""
    from tabwright.model import WeightsError

    if place.is_file() or (place.is_dir() and any(place.iterdir())):
        raise WeightsError(f"{place}: is there already; name another --to, or remove it")
    if tokenizer is not None and not tokenizer.exists():
        raise WeightsError(f"--tokenizer {tokenizer}: no such folder or file")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WeightsError(f"--to {place}: cannot be written ({error.strerror}); name another") from None
    if not os.access(place.parent, os.W_OK):
        raise WeightsError(f"--to {place}: its folder cannot be written into; name another")


@contextmanager
def _new_folder(place: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `place` when all of it is written."""
    temporary = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}-"))
    try:
        yield temporary
        temporary.chmod(0o755)
        if place.is_dir():
            place.rmdir()
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _keep_tokenizer(source: Path, folder: Path) -> None:
    from tabwright.tokens import TokenizerError
    from tabwright.tokens.opening import keep_files, open_tokenizer

    try:
        keep_files(source, folder)
        open_tokenizer(folder)
    except TokenizerError as error:
        typer.echo(f"note: {error}; the weights are written without one that can be used", err=True)


def _gguf_fields(source: Path, vocab_size: int) -> dict[str, Any]:
    from tabwright.tokens.gguf_fields import gguf_fields
    from tabwright.tokens.opening import keep_files

    with tempfile.TemporaryDirectory(prefix="tabwright-tokenizer-") as name:
        folder = Path(name)
        keep_files(source, folder)
        return gguf_fields(folder, vocab_size)
