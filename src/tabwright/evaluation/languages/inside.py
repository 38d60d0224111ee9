"""Runs inside the build sandbox: files and commands in, what they made out. Each build has a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_LONGEST_REPORT = 4000


def build(
    files: dict[str, bytes], commands: list[list[str]], makes: list[str], environment: dict[str, str]
) -> tuple[str, dict[str, bytes]]:
    """Run commands one after the other in a folder with these files; `environment` comes on top of what there is.

    Returns:
        What the command that failed said, empty where all went well; and the files that the patterns `makes` name.
    """
    folder = Path(tempfile.mkdtemp(dir=Path.cwd()))
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        for command in commands:
            done = subprocess.run(
                command,
                cwd=folder,
                env=os.environ | {"PATH": "/usr/bin:/bin", "TMPDIR": str(folder)} | environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            if done.returncode:
                said = done.stdout[:_LONGEST_REPORT].decode(errors="replace").strip()
                return said or f"{command[0]} ended with status {done.returncode}", {}
        return "", {path.name: path.read_bytes() for pattern in makes for path in folder.glob(pattern)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
