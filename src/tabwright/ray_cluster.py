"""The address of a Ray cluster -> Ray, connected to it; or one line that says why not, and soon."""

from __future__ import annotations

import importlib
import logging
import socket
from typing import Any

_KNOCK_S = 10.0


class ClusterError(ValueError):
    """There is no cluster to work on; the message names the address and the remedy."""


def connect(address: str) -> Any:
    """Return the module `ray`, connected; whoever asked for it ends with its `shutdown()`.

    Args:
        address: as `ray start` prints it; "auto" is the cluster that this machine belongs to.

    Raises:
        ClusterError: Ray is not installed, or there is no cluster at the address.
    """
    try:
        ray = importlib.import_module("ray")
    except ImportError:
        raise ClusterError("--ray: Ray is not installed; pip install 'tabwright[cluster]'") from None
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        raise ClusterError(f"--ray {address}: no cluster there ({_first_line(error)}); `ray start` one") from None
    return ray


def _knock(address: str) -> None:
    """Find out soon whether anything listens there: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        with socket.create_connection((host, int(port)), timeout=_KNOCK_S):
            pass


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
