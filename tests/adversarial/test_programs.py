"""Every program in `programs/` gets the outcome that its second line states, whether it is hostile or innocent.

The whole outcome is stated, so that a program which fails for another reason (a broken codec, say) is noticed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.adversarial.outcomes import LIMITS, mismatch

from tabwright.sandbox import Sandbox

FOLDER = Path(__file__).parent
PROGRAMS = sorted((FOLDER / "programs").glob("*/*.py"))
SOURCE = FOLDER.parents[1] / "src"
NOBODY = 65534


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(LIMITS) as sandbox:
        yield sandbox


def test_there_are_enough_programs() -> None:
    assert len([path for path in PROGRAMS if path.parent.name == "hostile"]) >= 60
    assert len([path for path in PROGRAMS if path.parent.name == "innocent"]) >= 20


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_outcome(sandbox: Sandbox, path: Path) -> None:
    assert mismatch(sandbox, path) == ""


def processes_of(place: Path) -> list[str]:
    """Processes that began with code of a folder; forks, and so programs, have their parents' command lines."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_text().replace("\0", " ")
        except OSError:
            continue
        if str(place) in command:
            found.append(command)
    return found


@pytest.mark.slow
def test_an_ordinary_user_gets_the_same_outcomes(tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: the test above runs as an ordinary user already")
    python = shutil.which("python3.11", path="/usr/bin")
    if python is None:
        pytest.skip("no Python 3.11 that every user may run; install python3.11 from the distribution")
    place = tmp_path_factory.mktemp("ordinary")
    for path in (place, place.parent, place.parent.parent):
        path.chmod(0o755)
    shutil.copytree(SOURCE, place / "src")
    shutil.copytree(FOLDER, place / "adversarial")
    mounts, files = Path("/proc/self/mountinfo").read_text(), set(Path("/tmp").iterdir())
    done = subprocess.run(
        [python, "-B", "outcomes.py", *(str(path.relative_to(FOLDER)) for path in PROGRAMS)],
        cwd=place / "adversarial",
        env={"PYTHONPATH": f"{place / 'src'}:{sysconfig.get_path('purelib')}"},
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {}
    assert processes_of(place) == []
    assert not [path for path in set(Path("/tmp").iterdir()) - files if path.name.startswith("tabwright")]
    assert Path("/proc/self/mountinfo").read_text() == mounts
