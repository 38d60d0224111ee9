"""Jobs -> results, over several worker processes that are watched and replaced.

One thread, one job at a time for each worker: a worker that waits for a job always reads, so sending never blocks.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tabwright.records import Outcome, Problem, RecordError
from tabwright.sandbox import Limits, SandboxError
from tabwright.sandbox.scratch import ScratchFolder

_START = "import sys; sys.path.insert(0, sys.argv[1]); from tabwright.evaluation.worker import main; main()"
_GRACE_S = 15.0
_BUILD_GRACE_S = 200.0  # each of kit, test and program has a deadline of its own
_ATTEMPTS = 2
_PARTING_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """One sample to be judged.

    Attributes:
        index: comes back with its verdict.
        problem, completion: what is judged.
        as_published: where the problem's test is faulty and cannot be built, the sample fails; else that is an error.
    """

    index: int
    problem: Problem
    completion: str
    as_published: bool = False


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of a job."""

    outcome: Outcome
    error: str | None
    duration_s: float | None
    output: str | None = None


class _Worker:
    """One worker process and the job that it is at."""

    def __init__(self, settings: str, scratch: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, str(Path(__file__).parents[2])],
            env=os.environ | {"TMPDIR": str(scratch)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the scorer; its end is the workers' end
        )
        self.job: Job | None = None
        self.attempts = 0
        self._known: dict[str, Problem] = {}  # each is sent once
        self._send(settings)
        first = self._receive()
        self.layers: dict[str, str] = first.get("layers", {})
        if not self.layers:
            self.stop()
            raise SandboxError(first.get("refused") or "a worker process could not be started")

    def give(self, job: Job, *, attempts: int = 1) -> None:
        """Send a job."""
        self.job, self.attempts, self.since = job, attempts, time.monotonic()
        task_id = job.problem.task_id
        order: dict[str, Any] = {"task_id": task_id, "completion": job.completion}
        if self._known.get(task_id) != job.problem:
            self._known[task_id] = job.problem
            order["problem"] = job.problem.to_mapping()
        self._send(json.dumps(order))

    def take(self) -> Verdict | None:
        """Return the verdict that is ready to be read, None where the worker has died.

        Raises:
            RecordError: the problem cannot be judged, whatever the sample.
        """
        row = self._receive()
        if "wrong" in row:
            if self.job and self.job.as_published:
                error = f"cannot be judged: {row['wrong'].splitlines()[0]}"
                return Verdict(outcome="failed", error=error, duration_s=None)
            raise RecordError(row["wrong"])
        if "outcome" not in row:
            return None
        return Verdict(outcome=row["outcome"], error=row["error"], duration_s=row["duration_s"], output=row["output"])

    def stop(self) -> None:
        """End the process: by itself where it is idle, at once where it is at work. Its sandbox ends with it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(OSError):
            self.process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(0 if self.job else _PARTING_S)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def _send(self, line: str) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # seen as the end of its output
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        row: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
        return row


class Pool:
    """A number of workers. Use as a context manager.

    Args:
        workers: how many processes.
        limits: what each program may use.
        packages: installed Python packages that programs may import.
        kits: where prebuilt parts of compiled languages are kept; needed for these alone.
        unsafe: run even where programs cannot be isolated.

    Attributes:
        layers: the sandbox's layers, as the first worker reported them.

    Raises:
        SandboxError: programs cannot be isolated here.
    """

    def __init__(
        self,
        workers: int,
        *,
        limits: Limits,
        packages: Sequence[str] = (),
        kits: Path | None = None,
        unsafe: bool = False,
    ) -> None:
        self._settings = json.dumps(
            {"limits": asdict(limits), "packages": list(packages), "kits": str(kits), "unsafe": unsafe}
        )
        self._timeout_s = limits.timeout_s
        self._selector = selectors.DefaultSelector()
        self._workers: list[_Worker] = []
        self._scratch = ScratchFolder()
        try:
            for _ in range(workers):
                self._add()
        except BaseException:
            self.close()
            raise
        self.layers = self._workers[0].layers

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[int, Verdict]]:
        """Yield (index, verdict) in the order in which jobs are done."""
        waiting = iter(jobs)
        for worker in self._workers:
            self._feed(worker, waiting)
        while any(worker.job for worker in self._workers):
            for key, _ in self._selector.select(timeout=1.0):
                worker = key.data
                job, verdict = worker.job, worker.take()
                if verdict is None:
                    yield from self._bury(worker, waiting)
                elif job is not None:
                    self._feed(worker, waiting)
                    yield job.index, verdict
            for worker in [w for w in self._workers if w.job and time.monotonic() - w.since > self._patience(w.job)]:
                lost = worker.job
                assert lost is not None
                self._feed(self._replace(worker), waiting)
                error = "the program's answer held up the tests"
                yield lost.index, Verdict(outcome="timeout", error=error, duration_s=None)

    def _patience(self, job: Job) -> float:
        return self._timeout_s + (_GRACE_S if job.problem.language == "python" else _BUILD_GRACE_S)

    def close(self) -> None:
        """End every worker."""
        for worker in self._workers:
            worker.stop()
        self._selector.close()
        self._scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add(self) -> _Worker:
        worker = _Worker(self._settings, self._scratch.path)
        self._workers.append(worker)
        assert worker.process.stdout is not None
        self._selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
        return worker

    def _feed(self, worker: _Worker, waiting: Iterator[Job]) -> None:
        worker.job = None
        job = next(waiting, None)
        if job is not None:
            worker.give(job)

    def _replace(self, worker: _Worker) -> _Worker:
        assert worker.process.stdout is not None
        self._selector.unregister(worker.process.stdout)
        self._workers.remove(worker)
        worker.stop()
        return self._add()

    def _bury(self, worker: _Worker, waiting: Iterator[Job]) -> Iterator[tuple[int, Verdict]]:
        """Replace a worker that died; its job gets a second chance, as the death may not be the job's fault."""
        job, attempts = worker.job, worker.attempts
        fresh = self._replace(worker)
        if job is not None and attempts < _ATTEMPTS:
            fresh.give(job, attempts=attempts + 1)
            return
        self._feed(fresh, waiting)
        if job is not None:
            yield job.index, Verdict(outcome="crashed", error="its worker process died, twice", duration_s=None)
