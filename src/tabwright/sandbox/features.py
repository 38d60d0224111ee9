"""What this machine offers to the sandbox, found by running a program in it; and one-program runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tabwright.sandbox.channel import ConnectionEnded
from tabwright.sandbox.limits import Limits, Result, SandboxError
from tabwright.sandbox.sandbox import REQUIRED, Sandbox


@dataclass(frozen=True, kw_only=True)
class Features:
    """The sandbox's layers on this machine.

    Attributes:
        layers: each layer with an empty text where it is active, else the reason why not.
        remedy: how to get what is required and missing; empty when nothing is.
    """

    layers: Mapping[str, str]
    remedy: str

    @property
    def ready(self) -> bool:
        """Whether programs can be run without `unsafe`."""
        return not self.remedy

    @property
    def missing(self) -> list[str]:
        """The layers that are not active, each with its reason."""
        return [f"{layer}: {reason}" for layer, reason in self.layers.items() if reason]


def features() -> Features:
    """Start a sandbox, look at what its first program reports, and stop it. Takes about a tenth of a second."""
    remedy = ""
    try:
        with Sandbox() as sandbox:
            return Features(layers=sandbox.layers, remedy=remedy)
    except SandboxError as error:
        remedy = str(error)
    try:
        with Sandbox(unsafe=True) as sandbox:
            absent = {layer: "not available" for layer in REQUIRED if layer not in sandbox.layers}
            return Features(layers=absent | sandbox.layers, remedy=remedy)
    except SandboxError as error:
        return Features(layers=dict.fromkeys(REQUIRED, "not available"), remedy=str(error))


def run_program(source: str, limits: Limits | None = None, *, unsafe: bool = False) -> Result:
    """Run a Python program to its end, in a sandbox of its own.

    "passed" means that it came to its end without an error (`sys.exit` counts as one, whatever its status).

    Raises:
        SandboxError: the machine cannot isolate programs and `unsafe` is false.
    """
    with Sandbox(limits, unsafe=unsafe) as sandbox, sandbox.session(source) as session:
        try:
            session.load()
        except (Exception, ConnectionEnded) as error:
            return session.finish(error)
        return session.finish(None)
