"""The options that several verbs share, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="A name (see `tabwright models list`), a GGUF file, hf:owner/repo/file.gguf, or an address ending in "
        "#sha256=... Without it, the default model.",
        envvar="TABWRIGHT_MODEL",
    ),
]
Remote = Annotated[
    str,
    typer.Option("--remote", help="Use an OpenAI-compatible server instead, such as http://127.0.0.1:8000/v1."),
]
RemoteKey = Annotated[str, typer.Option("--remote-key", envvar="TABWRIGHT_REMOTE_KEY", help="The remote server's key.")]
Slots = Annotated[int, typer.Option("--workers", min=1, max=64, help="Samples decoded at once (parallel slots).")]
Context = Annotated[int, typer.Option("--context", min=256, help="Context length of each slot, in tokens.")]
Threads = Annotated[int, typer.Option("--threads", min=0, max=1024, help="Threads of the engine; 0 takes all cores.")]
Engine = Annotated[
    Literal["llama.cpp", "torch"],
    typer.Option("--engine", help="llama.cpp runs GGUF files; torch runs every family, from folders too."),
]
Quantize = Annotated[
    int,
    typer.Option("--quantize", help="4 or 8 bits for each weight: made so by torch, asked of a file by llama.cpp."),
]
Device = Annotated[str, typer.Option("--device", help="Where torch runs: cpu, cuda:0.")]
Temperature = Annotated[float, typer.Option("--temperature", min=0.0, max=10.0, help="0 is greedy.")]
TopP = Annotated[float, typer.Option("--top-p", min=0.0, max=1.0, help="Nucleus sampling.")]
TopK = Annotated[int, typer.Option("--top-k", min=0, help="Keep the k most probable tokens; 0 keeps all.")]
Benchmarks = Annotated[
    Path | None,
    typer.Option("--benchmarks", help="Folder with the benchmark files.", envvar="TABWRIGHT_BENCHMARKS"),
]
ReportPath = Annotated[
    Path | None,
    typer.Option("--report", help="Where the HTML report goes; default: beside the scores, ending in .report.html."),
]
BENCHMARK_HELP = "A benchmark's name, or a .jsonl file of problems."
