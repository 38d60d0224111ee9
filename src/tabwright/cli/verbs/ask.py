"""`tabwright ask`: a question, and perhaps a file, in; the model's answer on standard output."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tabwright.cli import options
from tabwright.cli.engines import EngineOptions, print_stream
from tabwright.cli.verbs.complete import read_source


def ask_command(
    question: Annotated[str, typer.Argument(help="What to ask.")],
    file: Annotated[str, typer.Argument(help="A file to ask about, or - for standard input.")] = "",
    max_tokens: Annotated[int, typer.Option(min=1, help="Length of the answer.")] = 512,
    temperature: options.Temperature = 0.2,
    model: options.Model = "",
    remote: options.Remote = "",
    remote_key: options.RemoteKey = "",
) -> None:
    """Ask the model about code and print its answer."""
    from tabwright.assistant import question_about
    from tabwright.sampling import SamplingOptions

    prompt = question_about(question, read_source(file) if file else "", file)
    wanted = EngineOptions(model=model, remote=remote, remote_key=remote_key, slots=1)
    sampling = SamplingOptions(max_tokens=max_tokens, temperature=temperature)
    asyncio.run(print_stream(wanted, lambda engine: engine.generate(prompt, sampling)))
