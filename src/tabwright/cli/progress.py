"""Progress bars, on standard error: bytes of a download, and things that are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tabwright.download import Progress as DownloadProgress


@contextmanager
def count_bar(label: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show how many of `total` are done; yields the function that takes that number, and a new total."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task(label, total=total)

    def show(n_done: int, of: int | None = None) -> None:
        bar.start()  # not before there is something to show: what is wrong is said without an empty bar above it
        bar.update(task, completed=n_done, total=of or total)

    try:
        yield show
    finally:
        bar.stop()


@contextmanager
def stage_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show stages after one another, each counted; yields the function that takes a stage, what is done, of what."""
    with ExitStack() as stack:
        shown: dict[str, Callable[..., None]] = {}

        def show(stage: str, n_done: int, of: int) -> None:
            if stage not in shown:
                stack.close()
                shown[stage] = stack.enter_context(count_bar(stage))
            shown[stage](n_done, of)

        yield show


@contextmanager
def download_bar(name: str, size_bytes: int) -> Iterator[DownloadProgress]:
    """Show name, source, size and speed of a download on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"{name}: looking for a source", total=size_bytes or None)

        def show(source: str, n_bytes: int) -> None:
            bar.update(task, description=f"{name} from {source}", completed=n_bytes)

        yield show
