"""One file per verb; the only place where stages are wired together."""

from tabwright.cli.main import main

__all__ = ["main"]
