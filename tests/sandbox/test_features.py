"""What a machine lacks is named; without it nothing runs unless told to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tabwright.sandbox import features, run_program

SOURCE = str(Path(__file__).parents[2] / "src")


def test_this_machine_is_ready() -> None:
    found = features()
    assert found.ready
    assert found.remedy == ""
    assert "seccomp" in found.layers


def test_run_program() -> None:
    assert run_program("print('hello')").output == "hello\n"
    assert run_program("import sys; sys.exit(0)").error == "SystemExit: 0"


def without_mount_namespaces(code: str) -> str:
    """Run code where no mount namespace can be made: in a user namespace whose limit of them is none."""
    if shutil.which("unshare") is None:
        pytest.skip("unshare is missing; install util-linux")
    shell = 'echo 0 > /proc/sys/user/max_mnt_namespaces && exec "$0" -c "$1"'
    done = subprocess.run(
        ["unshare", "-Ur", "sh", "-c", shell, sys.executable, code],
        env=os.environ | {"PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


def test_a_machine_without_namespaces_refuses_and_says_why() -> None:
    out = without_mount_namespaces("from tabwright.sandbox import run_program as r; print(r('x = 1'))")
    assert "SandboxError: programs cannot be isolated here" in out
    assert "unshare" in out
    assert "--unsafe" in out
    out = without_mount_namespaces("from tabwright.sandbox import features; f = features(); print(f.ready, f.missing)")
    assert out.startswith("False")
    assert "mount namespace" in out


def test_unsafe_runs_what_there_is_and_cleans_up() -> None:
    out = without_mount_namespaces(
        "import os, tempfile; from tabwright.sandbox import run_program as r\n"
        "print(r('print(7)', unsafe=True))\n"
        "print(r('import socket; socket.socket()', unsafe=True).error)\n"
        "print([n for n in os.listdir(tempfile.gettempdir()) if n.startswith('tabwright-sandbox-')])"
    )
    first, second, third = out.splitlines()
    assert "outcome='passed'" in first
    assert "7" in first
    assert second.startswith("PermissionError")
    assert third == "[]"


def test_an_ordinary_user_gets_every_layer(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: every other test of this folder runs as an ordinary user already")
    python = shutil.which("python3.11", path="/usr/bin") or shutil.which("python3.12", path="/usr/bin")
    if python is None:
        pytest.skip("no Python 3.11 that every user may run; install python3.11 from the distribution")
    code = shutil.copytree(SOURCE, f"{tmp_path}/src")
    for path in (tmp_path, *tmp_path.parents):
        if path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
        if path.parent == Path("/tmp"):
            break
    program = "import os; print(os.getuid()); assert os.listdir('/tmp') == []"
    # A group of its own needs one that is the user's: `linux/test_control_group.py`.
    missing = "[layer for layer in features().missing if not layer.startswith('control group')]"
    done = subprocess.run(
        [python, "-B", "-c", f"from tabwright.sandbox import *; print(run_program({program!r}), {missing})"],
        env={"PYTHONPATH": str(code)},
        user=65534,
        group=65534,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "outcome='passed'" in done.stdout, done.stderr
    assert done.stdout.rstrip().endswith("[]")
