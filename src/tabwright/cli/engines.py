"""Options into a running engine: the model is found or pulled with a progress bar, then loaded."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from tabwright.cli.progress import download_bar

if TYPE_CHECKING:
    from tabwright.sampling import Chunk, Engine
    from tabwright.sampling.models import LocalModel


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineOptions:
    """What a person said about the engine; an empty model is the default one, 0 threads are all cores.

    `quantize` is how many bits torch keeps a weight in; 0 is as many as there are.
    """

    engine: Literal["llama.cpp", "torch"] = "llama.cpp"
    quantize: int = 0
    device: str = "cpu"
    model: str = ""
    remote: str = ""
    remote_key: str = ""
    slots: int = 4
    context: int = 4096
    threads: int = 0

    @property
    def runtime(self) -> str:
        """What runs the model and how, as a recipe names it: two of these may give other tokens."""
        if self.remote:
            return "remote"
        bits = f"{self.quantize} bits" if self.quantize and self.engine == "torch" else ""
        return ", ".join(filter(None, (self.engine, bits, self.device if self.device != "cpu" else "")))


def obtain(reference: str) -> LocalModel:
    """Return the model of that name, downloading it with a progress bar if it is not here."""
    from tabwright.sampling.models import default_model, expected_size, locate, pull

    reference = reference or default_model()
    found = locate(reference)
    if found is not None:
        return found
    with download_bar(reference, expected_size(reference)) as progress:
        return pull(reference, progress, lambda sentence: typer.echo(f"passed over {sentence}", err=True))


async def start_engine(options: EngineOptions, model: LocalModel | None) -> Engine:
    """Start the engine that the options ask for; `model` is what `obtain` gave, None for a remote one."""
    if model is None:
        from tabwright.sampling.remote import RemoteConfig, RemoteEngine

        return await RemoteEngine.start(
            RemoteConfig(url=options.remote, model=options.model, api_key=options.remote_key, slots=options.slots)
        )
    engine = await (_start_torch if options.engine == "torch" else _start_llamacpp)(options, model)
    if engine.card.context_length < options.context:
        typer.echo(
            f"--context {options.context}: {model.name} has {engine.card.context_length}, which is used", err=True
        )
    return engine


async def _start_llamacpp(options: EngineOptions, model: LocalModel) -> Engine:
    from tabwright.sampling.llamacpp import LlamaCppConfig, LlamaCppEngine

    if options.quantize:
        _check_bits(model.path, options.quantize)
    return await LlamaCppEngine.start(
        LlamaCppConfig(
            path=model.path,
            name=model.name,
            licence=model.licence,
            prompt_style=model.prompt_style,
            slots=options.slots,
            context_length=options.context,
            n_threads=options.threads or None,
        )
    )


async def _start_torch(options: EngineOptions, model: LocalModel) -> Engine:
    from tabwright.sampling import EngineError

    try:
        from tabwright.sampling.torch_engine.engine import TorchConfig, TorchEngine
    except ImportError as error:
        raise EngineError(f"--engine torch: {error}; pip install 'tabwright[train]'") from None
    return await TorchEngine.start(
        TorchConfig(
            path=model.path,
            name=model.name,
            licence=model.licence,
            prompt_style=model.prompt_style,
            slots=options.slots,
            context_length=options.context,
            bits=options.quantize,
            device=options.device,
            n_threads=options.threads or None,
        )
    )


def _check_bits(path: Path, bits: int) -> None:
    from tabwright.sampling import EngineError
    from tabwright.sampling.models import read_gguf

    gguf = read_gguf(path)
    have = gguf.size_bytes * 8 / max(gguf.n_parameters, 1)
    if have > bits + 2.5:
        raise EngineError(
            f"--quantize {bits}: {path} has {have:.1f} bits to a weight ({gguf.quantisation}) and this engine runs "
            f"files as they are; name a file quantised to {bits} bits, such as {'Q4_K_M' if bits == 4 else 'Q8_0'}"
        )


def obtain_for(options: EngineOptions) -> LocalModel | None:
    """Return the local model that the options ask for, or None if they name a remote server."""
    from tabwright.sampling import EngineError

    if options.quantize not in (0, 4, 8):
        raise EngineError(f"--quantize {options.quantize}: give 4 or 8")
    if options.device != "cpu" and (options.remote or options.engine != "torch"):
        raise EngineError(f"--device {options.device}: is for --engine torch; add that, or leave it out")
    if options.remote:
        return None
    place = Path(options.model)
    if options.engine == "torch" and options.model and place.exists() and place.suffix != ".gguf":
        from tabwright.sampling.models import LocalModel

        return LocalModel(name=place.resolve().name, path=place)
    return obtain(options.model)


async def print_stream(wanted: EngineOptions, generate: Callable[[Engine], AsyncGenerator[Chunk, None]]) -> None:
    """Start the engine, print what `generate` yields from it, and close it."""
    engine = await start_engine(wanted, obtain_for(wanted))
    try:
        async with aclosing(generate(engine)) as chunks:
            async for chunk in chunks:
                sys.stdout.write(chunk.text)
                sys.stdout.flush()
        sys.stdout.write("\n")
    finally:
        await engine.close()
