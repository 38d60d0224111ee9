"""A file of samples -> a file of scores, written line by line, resumed where it was interrupted.

The first line of the scores' file is its header: what was scored, with which settings, behind which layers.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from tabwright.evaluation.cluster import Cluster
from tabwright.evaluation.languages import languages, make_kit
from tabwright.evaluation.pool import Job, Pool, Verdict
from tabwright.records import Problem, Record, RecordError, Sample, Score, read_records, read_rows
from tabwright.sandbox import Limits

_HEADER_KEY = "scores_of"


@dataclass(frozen=True, kw_only=True)
class ScoringSettings:
    """How programs are run.

    Attributes:
        timeout_s: wall-clock time of one program with all its tests.
        memory_bytes: address space of one program.
        packages: installed packages that programs may import, such as "numpy".
        unsafe: score even where programs cannot be isolated.
        as_published: samples of a problem whose test is faulty and cannot be built fail; else that is an error.
    """

    timeout_s: float = 3.0
    memory_bytes: int = 1 << 30
    packages: tuple[str, ...] = ()
    unsafe: bool = False
    as_published: bool = False

    def limits(self) -> Limits:
        """Return the limits of each program.

        Raises:
            RecordError: a setting is out of its range.
        """
        try:
            return Limits(timeout_s=self.timeout_s, memory_bytes=self.memory_bytes)
        except ValueError as error:
            raise RecordError(str(error)) from None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScoresHeader(Record):
    """The first line of a file of scores.

    Attributes:
        samples: SHA-256 of the samples' file.
        problems: SHA-256 of the problems.
        settings: how programs were run.
        layers: the sandbox's layers; an empty text where active, else why not.
        n_samples: how many there are to score; 0 where nobody said.
    """

    samples: str
    problems: str
    settings: Mapping[str, Any]
    layers: Mapping[str, str] = field(default_factory=dict)
    n_samples: int = 0


def read_samples(path: Path, problems: Mapping[str, Problem]) -> list[Sample]:
    """Return the samples of a file, each checked.

    Raises:
        RecordError: a sample lacks a key, has a value of the wrong type, or names a task that does not exist.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise RecordError(f"{path}: not a regular file; write the samples to one, as scores belong to a file")
    samples = list(read_records(path, Sample))
    for number, sample in enumerate(samples, start=1):
        if sample.task_id not in problems:
            place = f"{path}, record {number}"
            raise RecordError(f"{place}: task_id {sample.task_id!r} is not in the benchmark; choose its benchmark")
    if not samples:
        raise RecordError(f"{path}: no samples in it; make some with `tabwright sample`")
    return samples


def read_scores(path: Path) -> tuple[ScoresHeader, list[Score]]:
    """Return the header and the scores of a file, in the order of the samples.

    Raises:
        RecordError: the file is missing or is not what `score_samples` writes.
    """
    header = next(read_rows(path), {}).get(_HEADER_KEY)
    if not isinstance(header, dict):
        raise RecordError(f"{path}: not a file of scores; make one with `tabwright evaluate`")
    try:
        found = ScoresHeader.from_mapping(header)
    except RecordError as error:
        raise RecordError(f"{path}, header: {error}; score afresh (--fresh)") from None
    scores = sorted(read_records(path, Score, skip=1), key=lambda score: score.sample_index)
    if scores and scores[0].sample_index < 0:
        raise RecordError(f"{path}: sample_index {scores[0].sample_index} is below 0; score afresh (--fresh)")
    for one, other in pairwise(scores):
        if one.sample_index == other.sample_index:
            raise RecordError(f"{path}: sample_index {one.sample_index} is scored twice; score afresh (--fresh)")
    return found, scores


def fingerprint(problems: Mapping[str, Problem]) -> str:
    """Return the SHA-256 of a benchmark's problems, as a file of scores names it."""
    text = json.dumps([problem.to_mapping() for problem in problems.values()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def score_samples(
    samples: Path,
    problems: Mapping[str, Problem],
    out: Path,
    *,
    settings: ScoringSettings | None = None,
    workers: int | None = None,
    fresh: bool = False,
    kits: Path | None = None,
    ray: str | None = None,
    on_score: Callable[[Score, int, int], None] | None = None,
) -> list[Score]:
    """Score every sample, going on where an earlier call with the same arguments was interrupted.

    Samples of one problem that are the same text are run once.

    Args:
        samples: JSON Lines of `Sample`, or of openai/human-eval.
        problems: the benchmark.
        out: the scores' file; each score is in it as soon as it is known.
        settings: how programs are run.
        workers: processes; as many as there are processors where None.
        fresh: throw away what `out` holds.
        kits: where prebuilt parts of compiled languages are kept; only for this call where None.
        ray: the address of a Ray cluster, whose processors are used instead of this machine's.
        on_score: called with each new score, the number of samples that have one, and the number of samples.

    Returns:
        All scores, in the order of the samples.

    Raises:
        RecordError: a file is wrong, or `out` belongs to other samples, problems or settings.
        SandboxError: programs cannot be isolated here, and the settings are not `unsafe`.
    """
    settings = settings or ScoringSettings()
    settings.limits()  # what is out of range is told before anything is written
    count = workers if workers is not None else len(os.sched_getaffinity(0))
    if count < 1:
        raise RecordError(f"workers: got {count}, must be at least 1")
    todo = read_samples(samples, problems)
    header = _expected(samples, problems, settings, len(todo))
    if out.exists() and out.samefile(samples):
        raise RecordError(f"{out}: holds the samples themselves; choose another file")
    _check_languages({problems[sample.task_id].language for sample in todo})
    with _locked(out) as descriptor, _kits(kits) as folder:
        _cut(out, descriptor, fresh=fresh)
        found = _resume(out, header, todo)
        groups = _same_programs(todo, found)
        book = _Book(descriptor, todo, groups, found, on_score)
        for first in groups.keys() & found.keys():
            book.settle(first, _verdict(found[first]))
        jobs = [_job(first, todo[first], problems, settings) for first in groups if first not in found]
        if jobs:
            with _pool(settings, jobs, count, folder, ray) as pool:
                if not os.fstat(descriptor).st_size:
                    _append(descriptor, {_HEADER_KEY: asdict(replace(header, layers=pool.layers))})
                for first, verdict in pool.run(jobs):
                    book.settle(first, verdict)
            os.fsync(descriptor)
    return [found[index] for index in range(len(todo))]


@dataclass(frozen=True, slots=True)
class _Book:
    """Writes a verdict down for every sample that is the same program."""

    descriptor: int
    todo: Sequence[Sample]
    groups: Mapping[int, Sequence[int]]
    found: dict[int, Score]
    on_score: Callable[[Score, int, int], None] | None

    def settle(self, first: int, verdict: Verdict) -> None:
        for index in self.groups[first]:
            self.found[index] = _make_score(index, self.todo[index], verdict)
            _append(self.descriptor, self.found[index].to_mapping())
            if self.on_score is not None:
                self.on_score(self.found[index], len(self.found), len(self.todo))


def _pool(settings: ScoringSettings, jobs: Sequence[Job], workers: int, kits: Path, ray: str | None) -> Pool | Cluster:
    limits, packages, unsafe = settings.limits(), settings.packages, settings.unsafe
    if ray:
        return Cluster(ray, limits=limits, packages=packages, kits=kits, unsafe=unsafe)
    for key in sorted({job.problem.language for job in jobs} - {"python"}):
        make_kit(languages()[key], kits, unsafe=unsafe)
    return Pool(min(workers, len(jobs)), limits=limits, packages=packages, kits=kits, unsafe=unsafe)


def _check_languages(keys: Collection[str]) -> None:
    for key in sorted(set(keys) - {"python"}):
        if key not in languages():
            raise RecordError(f"language {key!r} is unknown; known are {', '.join(['python', *languages()])}")
        languages()[key].check()


@contextmanager
def _kits(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="tabwright-kits-") as temporary:
        yield Path(temporary)


def _same_programs(todo: Sequence[Sample], found: Mapping[int, Score]) -> dict[int, list[int]]:
    """Return the samples without a score, grouped by the first sample that is the same text for the same problem.

    Where that first sample has its score already, the others of its group are to have the same.
    """
    firsts: dict[tuple[str, str], int] = {}
    for index in (*sorted(found), *range(len(todo))):
        firsts.setdefault((todo[index].task_id, todo[index].completion), index)
    groups: dict[int, list[int]] = {}
    for index in range(len(todo)):
        if index not in found:
            groups.setdefault(firsts[todo[index].task_id, todo[index].completion], []).append(index)
    return groups


def _job(index: int, sample: Sample, problems: Mapping[str, Problem], settings: ScoringSettings) -> Job:
    problem = problems[sample.task_id]
    return Job(index=index, problem=problem, completion=sample.completion, as_published=settings.as_published)


def _verdict(score: Score) -> Verdict:
    return Verdict(outcome=score.outcome, error=score.error, duration_s=score.duration_s, output=score.output)


def _make_score(index: int, sample: Sample, verdict: Verdict) -> Score:
    return Score(
        task_id=sample.task_id,
        sample_index=index,
        outcome=verdict.outcome,
        error=verdict.error,
        duration_s=verdict.duration_s,
        mean_logprob=sample.mean_logprob,
        n_tokens=sample.n_tokens,
        output=verdict.output,
    )


def _expected(samples: Path, problems: Mapping[str, Problem], settings: ScoringSettings, count: int) -> ScoresHeader:
    return ScoresHeader(
        samples=hashlib.sha256(samples.read_bytes()).hexdigest(),
        problems=fingerprint(problems),
        settings=json.loads(json.dumps(asdict(settings))),
        n_samples=count,
    )


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open the scores' file for appending, for one scorer at a time."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RecordError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RecordError(f"{path}: not a regular file; choose another file")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecordError(f"{path}: another process is scoring into it; wait, or choose another file") from None
        try:
            yield descriptor
        finally:
            if not os.fstat(descriptor).st_size:  # nothing was scored
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _cut(path: Path, descriptor: int, *, fresh: bool) -> None:
    """Cut off a line that was not written to its end, or everything; only of a file of scores or an empty one."""
    data = path.read_bytes()
    start = f'{{"{_HEADER_KEY}": '.encode()
    if not data[: len(start)] == start[: len(data)]:
        raise RecordError(f"{path}: not a file of scores; choose another file")
    os.ftruncate(descriptor, 0 if fresh else data.rfind(b"\n") + 1)


def _resume(path: Path, expected: ScoresHeader, samples: Sequence[Sample]) -> dict[int, Score]:
    """Return the scores that are there by sample."""
    if not path.stat().st_size:
        return {}
    afresh = "choose another file, or start afresh (--fresh)"
    header, scores = read_scores(path)
    for what in ("samples", "problems", "settings"):
        if getattr(header, what) != getattr(expected, what):
            raise RecordError(f"{path}: holds scores of other {what}; {afresh}")
    for score in scores:
        index = score.sample_index
        if not 0 <= index < len(samples) or samples[index].task_id != score.task_id:
            raise RecordError(f"{path}: sample_index {index} is not a sample of {score.task_id!r}; {afresh}")
    return {score.sample_index: score for score in scores}


def _append(descriptor: int, row: Mapping[str, Any]) -> None:
    # ASCII alone, as programs choose what stands in here, and people look at it in a terminal.
    line = memoryview(json.dumps(row).encode() + b"\n")
    try:
        while line:
            line = line[os.write(descriptor, line) :]
    except OSError as error:
        error.filename = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        raise
