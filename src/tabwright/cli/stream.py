"""An engine's stream onto standard output, as it comes."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from tabwright.cli.engines import EngineOptions, obtain_for, start_engine

if TYPE_CHECKING:
    from tabwright.sampling import Chunk, Engine


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
