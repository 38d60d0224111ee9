r"""Tabwright: build, measure and run your own code model.

The road: source code -> corpus -> tokens -> model -> samples -> scores -> suggestions.

    import tabwright

    model = tabwright.load("codegeex2-6b-dir")
    print(model.complete("# language: Python\n# write a bubble sort function\n"))
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tabwright.sampling.torch_engine.model import Model

__version__ = "0.1.0"


def load(path: str | Path, **options: Any) -> Model:
    """Load a model with torch: a folder, GGUF file or state dict in any known layout.

    Args:
        path: where it is.
        options: fields of `TorchConfig`, such as `bits=4` or `device="cuda:0"`.

    Raises:
        EngineError: the files cannot be used.
        ModuleNotFoundError: torch is not installed; `pip install tabwright[train]`.
    """
    from tabwright.sampling.torch_engine.engine import TorchConfig
    from tabwright.sampling.torch_engine.model import Model

    return Model(TorchConfig(path=Path(path), **options))
