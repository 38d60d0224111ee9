"""Control groups, on a kernel that has version 2 with all its controllers, whatever this one has: User-mode Linux."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[3] / "src"
GROUPS = "/sys/fs/cgroup"
# The group of the scorer is not the topmost one, and has a process, the shell, as a login's has.
INIT = f"""#!/bin/bash
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t cgroup2 groups {GROUPS}
mount --bind $2 /mnt  # every user can go there
mkdir -p $'/mnt/not UTF-8 \\xff'
mount -t tmpfs small $'/mnt/not UTF-8 \\xff'
mkdir -p {GROUPS}/users/login
echo +memory +pids > {GROUPS}/cgroup.subtree_control
echo +memory +pids > {GROUPS}/users/cgroup.subtree_control
chown -R 65534:65534 {GROUPS}/users
echo $$ > {GROUPS}/users/login/cgroup.procs
setpriv --reuid=$1 --regid=$1 --clear-groups "$3" -B /mnt/code.py > /mnt/said 2>&1
echo o > /proc/sysrq-trigger
sleep 10
"""
CODE = f"""
import json, sys
sys.path.insert(0, "/mnt/src")
from pathlib import Path
from tabwright.sandbox import ConnectionEnded, Limits, Sandbox

HOARDERS = '''
import os, time
def hoard():
    held = bytearray(60 << 20)
    for place in range(0, len(held), 4096):
        held[place] = 1
    time.sleep(9)
    os._exit(0)
hoarders = []
for _ in range(8):
    hoarders.append(os.fork())
    if not hoarders[-1]:
        hoard()
print(sorted(os.waitpid(hoarder, 0)[1] for hoarder in hoarders))
'''
groups = Path({GROUPS!r}, "users")
for name in ("tabwright-999999-0", "tabwright-somebody's"):
    (groups / name).mkdir()
with Sandbox(Limits(timeout_s=60, memory_bytes=80 << 20), rights="processes") as sandbox:
    made = [path.name for path in groups.glob("tabwright-*")]
    with sandbox.session(HOARDERS) as session:
        session.load()
        output = session.finish(None).output
left = [path.name for path in groups.glob("tabwright-*")]
(groups / "login/memory.max").write_text(str(400 << 20))
with Sandbox() as other:
    limited = other.layers["control group"]
print(json.dumps({{"layers": sandbox.layers, "made": made, "output": output, "left": left, "limited": limited}}))
"""


@pytest.fixture(scope="module", params=[0, 65534], ids=["root", "ordinary user"])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the code above on a machine of its own, as that user."""
    if shutil.which("linux.uml") is None:
        pytest.skip("linux.uml is missing; install user-mode-linux")
    folder = tmp_path_factory.mktemp("machine")
    folder.chmod(0o755)
    shutil.copytree(SOURCE, folder / "src")
    (folder / "init").write_text(INIT)
    (folder / "init").chmod(0o755)
    (folder / "code.py").write_text(CODE)
    python = shutil.which("python3", path="/usr/bin") or sys.executable
    said, init = folder / "said", [str(request.param), str(folder), python]
    machine = ["linux.uml", "mem=1200M", "rootfstype=hostfs", "rootflags=/", "rw", "quiet", f"uml_dir={folder}"]
    console = ["con=null", "con0=null,fd:1", f"init={folder / 'init'}", "--", *init]
    done = subprocess.run([*machine, *console], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    text = said.read_text() if said.exists() else done.stdout + done.stderr
    assert text.startswith("{"), text
    return dict(json.loads(text))


def test_the_layer_is_active(found: dict[str, Any]) -> None:
    assert found["layers"]["control group"] == ""


def test_processes_that_hold_too_much_together_are_killed(found: dict[str, Any]) -> None:
    ends = json.loads(found["output"])
    assert ends[-1] == 9
    assert ends.count(9) >= 3


def test_a_group_is_left_neither_by_us_nor_by_a_scorer_that_was_killed(found: dict[str, Any]) -> None:
    assert len(found["made"]) == 2
    assert not [name for name in found["made"] if "999999" in name]
    assert found["left"] == ["tabwright-somebody's"]


def test_programs_do_not_leave_the_scorer_s_own_limits(found: dict[str, Any]) -> None:
    assert found["limited"] == f"{GROUPS}/users/login/memory.max: limits the scorer, and programs would leave the limit"
