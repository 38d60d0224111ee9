"""`tabwright complete`: a file and a cursor in, the suggestion on standard output."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from tabwright.cli import options
from tabwright.cli.engines import EngineOptions, print_stream


def complete_command(
    file: Annotated[str, typer.Argument(help="The file, or - for standard input.")],
    at: Annotated[str, typer.Option("--at", metavar="LINE:COL", help="The cursor, from 1:1; default: the end.")] = "",
    language: Annotated[str, typer.Option(help="The language; default: by the file's name.")] = "",
    max_tokens: Annotated[int, typer.Option(min=1, help="Length of the suggestion.")] = 128,
    temperature: options.Temperature = 0.0,
    top_p: options.TopP = 0.95,
    top_k: options.TopK = 0,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same text.")] = None,
    model: options.Model = "",
    engine: options.Engine = "llama.cpp",
    remote: options.Remote = "",
    remote_key: options.RemoteKey = "",
) -> None:
    """Suggest what comes at a cursor and print it."""
    from tabwright.assistant import Cursor, find_language, language_of, suggest
    from tabwright.sampling import SamplingOptions

    prefix, suffix = split_at(read_source(file), at)
    known = find_language(language) if language else language_of(file)
    cursor = Cursor(prefix=prefix, suffix=suffix, language=known)
    sampling = SamplingOptions(max_tokens=max_tokens, temperature=temperature, top_p=top_p, top_k=top_k, seed=seed)
    wanted = EngineOptions(engine=engine, model=model, remote=remote, remote_key=remote_key, slots=1)
    asyncio.run(print_stream(wanted, lambda engine: suggest(engine, cursor, sampling)))


def read_source(file: str) -> str:
    """Return the text of a file, or of standard input for `-`.

    Raises:
        RecordError: it is missing, is not a file, or is not UTF-8.
    """
    from tabwright.records import RecordError

    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode()
    except OSError as error:
        raise RecordError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise RecordError(f"{file}: not UTF-8 at byte {error.start}; convert it first") from None


def split_at(text: str, at: str) -> tuple[str, str]:
    """Split a text at LINE:COL, both counted from 1, in characters; an empty `at` is the end.

    Raises:
        RecordError: there is no such place.
    """
    from tabwright.records import RecordError

    if not at:
        return text, ""
    place = re.fullmatch(r"(\d+):(\d+)", at)
    if place is None:
        raise RecordError(f"--at {at}: not LINE:COL, such as 12:5")
    line, column = int(place[1]), int(place[2])
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        raise RecordError(f"--at {at}: there is no line {line}; the text has {len(lines)}")
    if not 1 <= column <= len(lines[line - 1]) + 1:
        raise RecordError(f"--at {at}: there is no column {column}; line {line} ends at {len(lines[line - 1]) + 1}")
    offset = sum(len(row) + 1 for row in lines[: line - 1]) + column - 1
    return text[:offset], text[offset:]
