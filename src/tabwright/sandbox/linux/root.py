"""A minimal read-only root directory: Python's standard library, the shared libraries, four devices, /tmp.

Everything else of the host (homes, /etc, /proc, /sys, installed packages, the benchmark data) is not in it, but for
what is named.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tabwright.sandbox.linux import kernel

PACKAGES = "/packages"
BUILDS = "/builds"
PROGRAM = "/program"
_LIBRARIES = ("/lib", "/usr/lib")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
# Any directory will do that exists everywhere and holds none of the sources of the bind mounts.
_STAGE = "/proc"


def _library_folders() -> list[str]:
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{os.uname().machine}-linux-gnu"
    candidates = [f"{folder}/{multiarch}" for folder in _LIBRARIES] + ["/lib64", "/usr/lib64"]
    standard = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    real = {os.path.realpath(path) for path in (*standard, *candidates) if Path(path).is_dir()}
    return sorted(real - {os.path.realpath(folder) for folder in _LIBRARIES})


def _bind(source: str, target: str) -> None:
    if Path(source).is_dir():
        Path(target).mkdir(parents=True, exist_ok=True)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        Path(target).touch()
    kernel.mount(source, target, None, kernel.MS_BIND | kernel.MS_REC)


def _hide_packages(folder: str) -> None:
    """Cover the third-party packages below a bound folder: a data set may be among them."""
    for depth in ("", "python3*/"):
        for path in Path(folder).glob(f"{depth}[sd]i[ts][et]-packages"):
            kernel.mount("tmpfs", str(path), "tmpfs", kernel.MS_RDONLY, "size=4k,mode=555")


def build(packages: list[str], shown: dict[str, str], builds: str) -> None:
    """Build the root in this mount namespace and enter it.

    Args:
        packages: files or folders that are offered read-only in `/packages`, each under its own name.
        shown: files or folders of the host that are offered read-only, by their place in this root.
        builds: the folder with the programs' own folders (`show_program`); empty where there are none.
    """
    kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", _STAGE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,mode=755")
    os.umask(0o022)
    for folder in _library_folders():
        _show(folder, folder)
    for place, source in sorted(shown.items()):
        _show(source, place)
    for folder in (*_LIBRARIES, "/lib64"):
        if Path(folder).is_symlink() and not os.path.lexists(_STAGE + folder):
            Path(_STAGE + folder).symlink_to(Path(folder).readlink())
    for package in packages:
        _show(package, f"{PACKAGES}/{Path(package).name}")
    for device in _DEVICES:
        _bind(device, _STAGE + device)
        kernel.make_read_only(_STAGE + device, recursive=False, device=True)
    Path(_STAGE, "tmp").mkdir(exist_ok=True)
    if builds:
        _show(builds, BUILDS)
        Path(_STAGE + PROGRAM).mkdir()
    kernel.enter_root(_STAGE)
    kernel.make_read_only("/", recursive=False)


def _show(source: str, place: str) -> None:
    target = _STAGE + place
    if Path(target).exists():
        return  # inside of a folder that is shown already
    real = os.path.realpath(source)
    if real != source and place == source:
        _show(real, real)
        if not os.path.lexists(target):
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(target).symlink_to(real)
        return
    _bind(real, target)
    _hide_packages(target)
    kernel.make_read_only(target, recursive=True)


def show_program(name: str) -> Iterator[tuple[str, tuple[int | bytes, ...]]]:
    """Yield the calls that show one program's folder of all builds, in a mount namespace of its own."""
    yield "mount", (f"{BUILDS}/{name}".encode(), PROGRAM.encode(), 0, kernel.MS_BIND, 0)
    yield "mount_setattr", kernel.read_only(PROGRAM, recursive=False)
    yield "umount2", (BUILDS.encode(), kernel.MNT_DETACH)
