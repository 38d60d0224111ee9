"""Run one untrusted program under limits -> outcome.

The program runs in a process of its own, in fresh namespaces, behind seccomp and Landlock; whoever judges it stays
outside and only exchanges plain data with it. See docs/sandbox.md for the layers and SECURITY.md for what they do not
stop. This package knows no benchmark and imports nothing of the others.

    with Sandbox(Limits(timeout_s=3.0)) as sandbox:
        with sandbox.session("def add(a, b): return a + b") as session:
            session.load()
            assert session.function("add")(1, 2) == 3
            result = session.finish(None)            # Result(outcome="passed", ...)

    run_program(source, limits) -> Result            # one program, nothing called
    features() -> Features                           # .layers, .missing, .ready: what this machine offers
"""

from tabwright.sandbox.calls import RemoteError
from tabwright.sandbox.channel import ConnectionEnded
from tabwright.sandbox.codec import CodecError
from tabwright.sandbox.features import Features, features, run_program
from tabwright.sandbox.limits import Limits, Outcome, Result, Rights, SandboxError
from tabwright.sandbox.program import CONNECTION
from tabwright.sandbox.sandbox import Sandbox
from tabwright.sandbox.session import Command, Session

__all__ = [
    "CONNECTION",
    "CodecError",
    "Command",
    "ConnectionEnded",
    "Features",
    "Limits",
    "Outcome",
    "RemoteError",
    "Result",
    "Rights",
    "Sandbox",
    "SandboxError",
    "Session",
    "features",
    "run_program",
]
