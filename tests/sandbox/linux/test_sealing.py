"""The list of calls that seals a child, as it is carried out here and as other run times read it."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

from tabwright.sandbox.linux.sealing import Call, Sealing, layer_names, pack


def in_child(action: Callable[[], str]) -> str:
    """Return what an action says in a process of its own: what is sealed stays so."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, action().encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    said = os.read(reader, 1000).decode()
    os.close(reader)
    return said


def test_a_call_that_fails_or_returns_something_else_leaves_its_layer_inactive() -> None:
    calls = [
        Call("good", "chdir", (b"/",)),
        Call("gone", "chdir", (b"/no/such/folder",)),
        Call("gone", "chdir", (b"/dev",)),  # not made: the layer has failed
        Call("other", "prctl", (3, 0, 0, 0, 0), 7),
        Call("unknown", "no_such_call", ()),
    ]
    sealing = Sealing(calls)
    active, layers, place = in_child(lambda: f"{sealing.perform()}|{sealing.layers}|{Path.cwd()}").split("|")
    assert active == "False"
    assert place == "/"
    assert "'good': ''" in layers
    assert "No such file or directory" in layers
    assert "prctl returned" in layers
    assert "no_such_call" in layers


def test_other_run_times_read_the_same_list() -> None:
    calls = [Call("a", "chdir", (b"/x",)), Call("b", "prctl", (22, 2, (b"12345678", b"filter"), -1, 0), 3)]
    data = pack(calls)
    n_calls, n_addresses, size = struct.unpack_from("=3q", data)
    words = struct.unpack_from(f"={10 * n_calls + 2 * n_addresses}q", data, 24)
    content = data[-size:]
    assert len(data) == 24 + 8 * len(words) + size
    assert (words[0], words[1], words[3]) == (0, 0, 1)
    assert content[words[4] :].startswith(b"/x\0")
    assert (words[10], words[11], words[13]) == (1, 3, 0b100)
    assert words[14:20] == (22, 2, words[16], -1, 0, 0)
    at, target = words[20:]
    assert at == words[16] + 8
    assert content[words[16] :].startswith(b"12345678")
    assert content[target:].startswith(b"filter")
    assert layer_names(calls) == ["a", "b"]
