"""What a program may use, and what came of running it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["passed", "failed", "timeout", "memory", "output", "crashed"]

_LONGEST_TIMEOUT_S = 86_400  # the kernel's timers end somewhere above it


Rights = Literal["none", "execute", "processes"]
"""What a program may do beyond computing: become another program, or start processes as well."""


class SandboxError(RuntimeError):
    """The sandbox itself cannot do its work here; the message names what is missing and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one program, each of its own.

    Attributes:
        timeout_s: wall-clock time from the program's first line to its last answer; CPU time is held to the
            next whole second above it. At most a day.
        cpu_s: CPU time, where it is not what `timeout_s` makes of it: for a process that does one thing after another.
        memory_bytes: writable private memory.
        reserved_bytes: address space beyond `memory_bytes`: what some run times reserve and never write to.
        output_bytes: standard output and standard error together.
        file_bytes: size of one file; `scratch_bytes`: all files of the private /tmp together.
        threads: threads at once, processes among them where they are allowed.
        open_files: file descriptors at once.
        answer_bytes: one answer to a call, encoded.
    """

    timeout_s: float = 3.0
    cpu_s: int = 0
    memory_bytes: int = 1 << 30
    reserved_bytes: int = 0
    output_bytes: int = 1 << 20
    file_bytes: int = 16 << 20
    scratch_bytes: int = 64 << 20
    threads: int = 64
    open_files: int = 64
    answer_bytes: int = 16 << 20

    @property
    def most_cpu_s(self) -> int:
        """CPU time that a program may use."""
        return self.cpu_s or math.ceil(self.timeout_s) + 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0 and not (name in ("cpu_s", "reserved_bytes") and value == 0):
                raise ValueError(f"{name}: got {value}, must be above 0")
        if self.timeout_s > _LONGEST_TIMEOUT_S:
            raise ValueError(f"timeout_s: got {self.timeout_s}, must be at most {_LONGEST_TIMEOUT_S}")
        if self.output_bytes > self.file_bytes:
            raise ValueError(f"output_bytes: got {self.output_bytes}, must not exceed file_bytes {self.file_bytes}")


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of one program.

    Attributes:
        outcome: "passed" only when everything that was asked of the program was done.
        error: type and message of what went wrong, on one line.
        duration_s: wall-clock time of the program.
        output: what it wrote to standard output and standard error, cut at `Limits.output_bytes`.
    """

    outcome: Outcome
    error: str | None
    duration_s: float
    output: str
