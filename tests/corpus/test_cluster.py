"""A build on a Ray cluster of two machines: the same bytes as here."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.corpus.conftest import MIT, function

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("ray") is None and not os.environ.get("CI"), reason="ray is missing; pip install 'tabwright[cluster]'"
    ),
]

_PROGRAM = """
import sys
from pathlib import Path
from ray.cluster_utils import Cluster
from tabwright.corpus import CorpusConfig
from tabwright.corpus.build import build_corpus

config = CorpusConfig(rules=("readable", "language", "licence", "lines", "python", "private"), partition_bytes=5000)
sources = sys.argv[1:]
build_corpus(config, sources, Path("here"))
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
try:
    build_corpus(config, sources, Path("there").resolve(), n_workers=2, ray=cluster.address)
finally:
    cluster.shutdown()
"""
RAY = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def test_two_machines_build_what_one_does(tmp_path: Path) -> None:
    for number in range(6):
        folder = tmp_path / f"s{number}"
        folder.mkdir()
        (folder / "LICENSE").write_text(MIT)
        for at in range(10):
            (folder / f"f{at}.py").write_text(function(f"f{number // 2}_{at}", n_lines=6 + number % 2))
    sources = [str(tmp_path / f"s{number}") for number in range(6)]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *sources],
        cwd=tmp_path, env=os.environ | RAY, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    here, there = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*.*")
            if path.is_file()
        }
        for name in ("here", "there")
    )
    assert len(here) > 12
    assert here == there


def test_an_address_without_a_cluster_is_named(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(function("f"))
    (tmp_path / "recipe.toml").write_text('[corpus]\nrules = ["readable"]\n')
    done = subprocess.run(
        [
            sys.executable, "-m", "tabwright", "corpus", "build", "--recipe", "recipe.toml", "--to", "corpus",
            "--ray", "127.0.0.1:1", "--from", "code.py",
        ],
        cwd=tmp_path, env=os.environ | RAY, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "tabwright: --ray 127.0.0.1:1: no cluster there" in done.stderr.splitlines()[-1]
