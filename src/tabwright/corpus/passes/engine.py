"""Partitions -> their work, done by Daft: in processes of this machine, or unchanged on a Ray cluster.

What is done is known by what lies on disk, not by what Daft says of it: a run that is killed loses no partition.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tabwright.corpus.errors import CorpusError
from tabwright.ray_cluster import connect

Task = Callable[[int], None]

# Of glibc's malloc.h; bytes.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


@contextlib.contextmanager
def cluster(address: str) -> Iterator[None]:
    """Do all work on a Ray cluster, whose machines must see the same files; on this machine where there is no address.

    Raises:
        ClusterError: Ray is not installed, or no cluster is there.
    """
    os.environ.setdefault("DO_NOT_TRACK", "true")
    if not address:
        yield
        return
    ray = connect(address)
    try:
        import daft

        daft.set_runner_ray(address)
        yield
    finally:
        ray.shutdown()


def run(task: Task, partitions: Sequence[int], n_workers: int, *, in_threads: bool = False) -> Iterator[None]:
    """Do a task for each partition, so many at once; yield each time that one is done.

    Args:
        task: what is done with a partition's number.
        partitions: their numbers, in the order in which they are begun.
        n_workers: how many are in work at once.
        in_threads: whether that may be in threads of this process, as most of the task is no Python.

    Raises:
        CorpusError: what a task raised in its process, in the same words; there that a disk is full is one too.
    """
    if len(partitions) <= 1 or n_workers == 1:  # a process of its own would take longer to start
        _settle()
        yield from map(task, partitions)
        return
    import daft

    if in_threads and daft.get_or_infer_runner_type() == "native":
        with ThreadPoolExecutor(n_workers) as threads:
            yield from threads.map(task, partitions)
        return
    do = _processes(task, n_workers)
    numbers = daft.from_pydict({"partition": list(partitions)})
    for row in numbers.select(do(daft.col("partition")).alias("said")).iter_rows(results_buffer_size=1):
        if row["said"]:
            raise CorpusError(row["said"])
        yield


def _processes(task: Task, n_workers: int) -> Any:
    """Return Daft's function that does a task, in as many processes."""
    import daft

    class Worker:
        def __init__(self, task: Task) -> None:
            self._task = task
            _settle()

        def do(self, numbers: Any) -> list[str]:
            return [_said(self._task, number) for number in numbers.to_pylist()]

    batched = daft.method.batch(return_dtype=daft.DataType.string(), batch_size=1)
    Worker.do = batched(Worker.do)  # type: ignore[method-assign]
    worker: Any = daft.cls(Worker, use_process=True, max_concurrency=n_workers)
    return worker(task).do


def _settle() -> None:
    """Have the system's allocator keep what is freed, as getting it anew takes time, and garbage be new things only."""
    gc.freeze()
    if hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_TRIM_THRESHOLD, 1 << 28)
        libc.mallopt(_M_MMAP_THRESHOLD, 1 << 25)


def _said(task: Task, partition: int) -> str:
    """Do a task; return what is wrong, as an error would not come out of Daft's processes as it is."""
    try:
        task(partition)
    except CorpusError as error:
        return str(error)
    except OSError as error:  # a full disk
        return f"{error.filename or 'a file'}: {os.strerror(error.errno) if error.errno else error}"
    return ""
