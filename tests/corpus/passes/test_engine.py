"""Partitions handed out: all of them once, errors in their own words, and nothing left half done by Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tabwright.corpus import CorpusError
from tabwright.corpus.passes import engine

TASK = """\
import sys, time
from pathlib import Path
from tabwright.corpus.passes import engine

def task(partition):
    Path(sys.argv[1], f"{partition}.begun").touch()
    time.sleep(0.5)
    Path(sys.argv[1], f"{partition}.done").touch()

for _ in engine.run(task, range(20), 2, in_threads=True):
    pass
"""


@pytest.mark.parametrize("n_workers", [1, 3])
def test_threads_do_every_partition_once(n_workers: int) -> None:
    done: list[int] = []
    assert len(list(engine.run(done.append, range(9), n_workers, in_threads=True))) == 9
    assert sorted(done) == list(range(9))


def test_an_error_in_a_thread_comes_out_as_it_is() -> None:
    def task(partition: int) -> None:
        if partition == 3:
            raise CorpusError("the third one is damaged")

    with pytest.raises(CorpusError, match="the third one is damaged"):
        list(engine.run(task, range(9), 2, in_threads=True))


def test_what_was_begun_in_threads_is_finished_after_ctrl_c(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", TASK, str(tmp_path)], stderr=subprocess.DEVNULL) as running:
        while not list(tmp_path.glob("*.done")) and running.poll() is None:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) in (1, -signal.SIGINT)  # and not by an abort
    begun, done = ({path.stem for path in tmp_path.glob(f"*.{what}")} for what in ("begun", "done"))
    assert begun == done
    assert 1 <= len(done) < 20
