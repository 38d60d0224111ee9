"""llama.cpp's server in this process: a GGUF file in, a server on a socket file out.

How it is asked for completions is `tabwright.sampling.llamacpp`'s business.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tabwright.sampling.engine import EngineError

# Prompt tokens read between two looks at the queue. A cancelled prompt holds its slot this long, so it is small; on two
# cores 128 read prompts as fast as 2,048 did (docs/log.md).
BATCH_TOKENS = 128
# How long the threads of llama.cpp spin at a barrier before they sleep. By default they spin so long that any other
# busy program on the machine halves their speed and a second engine all but stops both; this costs nothing on an idle
# machine (docs/log.md).
_SPIN_COUNT = "2000"
_FOLDER_PREFIX = "tabwright-engine-"
_YOUNG_S = 60


def make_folder() -> tuple[Path, FileLock]:
    """Make a folder for the socket, locked for as long as this process lives."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER_PREFIX}*"):
        _remove_if_abandoned(folder)
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX))
    lock = FileLock(folder / "lock", thread_local=False)  # taken in a worker thread, released in the main one
    lock.acquire()
    return folder, lock


def _remove_if_abandoned(folder: Path) -> None:
    """Remove the folder of an engine that was killed before it could: an old one whose lock nobody holds."""
    try:
        if time.time() - folder.stat().st_mtime > _YOUNG_S:
            with FileLock(folder / "lock", timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
    except (Timeout, OSError):
        return


def load(path: Path, socket: Path, *, architecture: str, slots: int, context_length: int, n_threads: int | None) -> Any:
    """Load a model and let llama.cpp's server listen on a socket file.

    Args:
        path: the GGUF file.
        socket: where to listen.
        architecture: the model's, for the error message.
        slots: samples decoded at once.
        context_length: tokens of each slot.
        n_threads: None takes all cores.

    Raises:
        EngineError: the wheel or the model cannot be loaded.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", _SPIN_COUNT)  # read once, when the library is loaded
    try:
        import xllamacpp
    except ImportError as error:
        raise EngineError(f"llama.cpp cannot be loaded ({error}); `tabwright doctor` says what to install") from None

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames = [str(socket)]
    params.n_ctx = context_length * slots
    params.n_parallel = slots
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.n_gpu_layers = 0
    params.fit_params = False
    params.cache_ram_mib = 0
    params.verbosity = -1
    params.ui = False
    params.endpoint_metrics = True
    for pool in (params.cpuparams, params.cpuparams_batch):
        pool.n_threads = n_threads or len(os.sched_getaffinity(0))
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise EngineError(
            f"{path}: llama.cpp cannot load this {architecture} model ({str(error).rstrip('.')}); "
            "check that there is enough free memory, and that its architecture is one that llama.cpp runs"
        ) from None


def drop(holder: list[Any]) -> None:
    """Let go of the last reference here, in a worker thread: llama.cpp joins its own threads on the way out."""
    holder.clear()


def keep_python_signals() -> None:
    """Put Python's signal handlers back; llama.cpp's server takes SIGINT and SIGTERM for itself."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
