"""Scoring on a Ray cluster of two machines: the same scores as here, also when one of the machines is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("ray") is None and not os.environ.get("CI"), reason="ray is missing; pip install 'tabwright[cluster]'"
    ),
]

PROBLEM = {"task_id": "t", "prompt": "", "entry_point": "f", "test": "def check(c):\n    assert c(20) == 400\n"}
_PROGRAM = """
import json, sys
from pathlib import Path
from ray.cluster_utils import Cluster
from tabwright.evaluation import load_benchmark, score_samples

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
node = cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
lose = sys.argv[3] == "lose"
try:
    def on_score(score, n_done, n_all):
        if lose and n_done == 5:
            cluster.remove_node(node, allow_graceful=False)
    problems = load_benchmark(sys.argv[1])
    scores = score_samples(Path(sys.argv[2]), problems, Path("ray.jsonl"), ray=cluster.address, on_score=on_score)
    print(json.dumps([score.outcome for score in scores]))
finally:
    cluster.shutdown()
"""


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("what", ["keep", "lose"])
def test_two_machines_score_as_one(tmp_path: Path, what: str) -> None:
    pause = "import time; time.sleep(0.2)\n"
    completions = [f"{pause}def f(n): return n * {factor}\n" for factor in range(10, 30)]
    write(tmp_path / "p.jsonl", PROBLEM)
    write(tmp_path / "s.jsonl", *({"task_id": "t", "completion": text} for text in completions))
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "p.jsonl", "s.jsonl", what],
        cwd=tmp_path,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outcomes = json.loads(done.stdout.splitlines()[-1])
    assert outcomes == ["passed" if factor == 20 else "failed" for factor in range(10, 30)]


def test_an_address_without_a_cluster_is_named(tmp_path: Path) -> None:
    write(tmp_path / "p.jsonl", PROBLEM)
    write(tmp_path / "s.jsonl", {"task_id": "t", "completion": "f = 1\n"})
    done = subprocess.run(
        [sys.executable, "-m", "tabwright", "evaluate", "s.jsonl", "--benchmark", "p.jsonl", "--ray", "127.0.0.1:1"],
        cwd=tmp_path,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    assert "tabwright: --ray 127.0.0.1:1: no cluster there" in done.stderr.splitlines()[-1]
