"""Jobs -> verdicts on a Ray cluster: a pool of one worker for each of its processors, on whichever machine that is.

What happens to a job is what happens in `pool.py`, as it is the same code; here jobs are only handed out and taken.
A machine that is lost takes no verdict with it: what it was at is run again on another, once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tabwright.evaluation.pool import Job, Pool, Verdict
from tabwright.ray_cluster import ClusterError, connect
from tabwright.sandbox import Limits, SandboxError

_PROCESSOR = "CPU"
_ATTEMPTS = 2


class _Member:
    """The pool of one processor; lives in an actor."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._pool = Pool(1, **settings)

    def layers(self) -> dict[str, str]:
        return self._pool.layers

    def judge(self, job: Job) -> Verdict:
        return next(self._pool.run([job]))[1]


class Cluster:
    """Every processor of a Ray cluster; used like a `Pool`.

    Args:
        address: the cluster's, as `ray start` prints it; "auto" is the one that this machine belongs to.
        limits, packages, kits, unsafe: as for `Pool`; `kits` is a folder on each machine.

    Attributes:
        layers: the sandbox's layers, as the first processor reported them.

    Raises:
        ClusterError: Ray is not installed, or there is no cluster at the address.
        SandboxError: programs cannot be isolated there.
    """

    def __init__(
        self,
        address: str,
        *,
        limits: Limits,
        packages: Sequence[str] = (),
        kits: Path | None = None,
        unsafe: bool = False,
    ) -> None:
        self._ray = ray = connect(address)
        settings = {"limits": limits, "packages": packages, "kits": kits, "unsafe": unsafe}
        member = ray.remote(num_cpus=1)(_Member)
        count = int(ray.cluster_resources().get(_PROCESSOR, 0))
        try:
            self._members = [member.remote(settings) for _ in range(count)]
            if not self._members:
                raise ClusterError(f"--ray {address}: the cluster has no processor to spare")
            self.layers: dict[str, str] = ray.get(self._members[0].layers.remote())
        except ray.exceptions.RayTaskError as error:
            self.close()
            raise error.as_instanceof_cause() from None
        except BaseException:
            self.close()
            raise

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[int, Verdict]]:
        """Yield (index, verdict) in the order in which jobs are done.

        Raises:
            SandboxError: every machine was lost.
        """
        waiting, again = iter(jobs), deque[Job]()
        idle, lost = deque(self._members), Counter[int]()
        pending: dict[Any, tuple[Any, Job]] = {}
        while True:
            while idle and (job := again.popleft() if again else next(waiting, None)) is not None:
                member = idle.popleft()
                pending[member.judge.remote(job)] = (member, job)
            if not pending:
                break
            (done,), _ = self._ray.wait(list(pending), num_returns=1)
            member, job = pending.pop(done)
            verdict = self._taken(done)
            if verdict is not None:
                idle.append(member)
                yield job.index, verdict
                continue
            lost[job.index] += 1
            if lost[job.index] < _ATTEMPTS:
                again.append(job)
            else:
                yield job.index, Verdict(outcome="crashed", error="its machine was lost, twice", duration_s=None)
        if again or next(waiting, None) is not None:
            raise SandboxError("every machine of the cluster was lost; the same command goes on where this one stopped")

    def _taken(self, done: Any) -> Verdict | None:
        """Return a verdict, or None where the machine was lost."""
        try:
            verdict: Verdict = self._ray.get(done)
            return verdict
        except self._ray.exceptions.RayTaskError as error:
            raise error.as_instanceof_cause() from None
        except self._ray.exceptions.RayError:
            return None

    def close(self) -> None:
        """Leave the cluster; what runs there for this scorer is ended."""
        self._ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
