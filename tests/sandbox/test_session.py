"""Programs in the real sandbox: limits, isolation, calls in both directions, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tabwright.sandbox import ConnectionEnded, Limits, RemoteError, Result, Sandbox, SandboxError, Session
from tabwright.sandbox.sandbox import REQUIRED

SOURCE = str(Path(__file__).parents[2] / "src")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(Limits(timeout_s=2.0)) as sandbox:
        yield sandbox


@pytest.fixture
def run(sandbox: Sandbox) -> Iterator[Session]:
    with sandbox.session(
        "def call(f, *a): return f(*a)\n"
        "def echo(*a, **k): return a, k\n"
        "def grow(items): items.append(9); return len(items)\n"
        "def fill(table, seen): table['k'] = 1; seen.add(2)\n"
        "def count(n):\n    yield from range(n)\n"
        "def forever():\n    while True: yield 1\n"
        "def total(items): return sum(items)\n"
        "def adder(n): return lambda m: n + m\n"
        "def fail(): raise ValueError('no good')\n"
        "class Box:\n    def __init__(self): self.items = [1, 2]\n"
        "box = Box()\n"
        "def size(b): return len(b.items)\n"
        "def same(f): return f\n"
        "def stop(n): raise StopIteration('over')\n"
    ) as session:
        session.load()
        yield session


def children(process: int) -> set[int]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process:
            child = int(path.parent.name)
            found |= {child} | children(child)
    return found


def finish(sandbox: Sandbox, source: str) -> Result:
    with sandbox.session(source) as session:
        try:
            session.load()
        except (Exception, ConnectionEnded) as error:
            return session.finish(error)
        return session.finish(None)


def test_every_required_layer_is_active(sandbox: Sandbox) -> None:
    assert {layer: sandbox.layers[layer] for layer in REQUIRED} == dict.fromkeys(REQUIRED, "")


def test_arguments_and_answers_keep_their_types(run: Session) -> None:
    assert run.function("echo")(1, (2.0, None), key={"a": {3}}) == ((1, (2.0, None)), {"key": {"a": {3}}})


def test_changes_in_place_arrive(run: Session) -> None:
    items: list[int] = [1]
    alias = items
    assert run.function("grow")(items) == 2
    assert alias == [1, 9]
    table: dict[str, int] = {}
    seen: set[int] = set()
    run.function("fill")(table, seen)
    assert (table, seen) == ({"k": 1}, {2})


def test_functions_iterators_and_generators_cross(run: Session) -> None:
    assert run.function("call")(lambda a, b: a * b, 6, 7) == 42
    assert list(run.function("count")(3)) == [0, 1, 2]
    assert run.function("total")(n for n in (1, 2, 3)) == 6
    assert run.function("adder")(2)(3) == 5
    endless = run.function("forever")()
    assert [next(endless), next(endless)] == [1, 1]


def test_what_is_no_plain_data_can_be_handed_back_to_its_owner(run: Session) -> None:
    assert run.function("size")(run.function("box")) == 2
    with pytest.raises(RemoteError, match="CodecError: Box is not plain data"):
        run.function("same")(run.function("box"))
    with pytest.raises(RemoteError, match="CodecError: a handle of nothing"):
        run.function("size")(run.function("absent"))


def test_the_end_of_an_iteration_is_an_error_like_any_other(run: Session) -> None:
    with pytest.raises(RemoteError, match="StopIteration: over"):
        list(map(run.function("stop"), [1, 2]))


def test_a_function_comes_back_as_itself(run: Session) -> None:
    def mine() -> None: ...

    assert run.function("same")(mine) is mine


def test_errors_keep_their_type(run: Session) -> None:
    with pytest.raises(ValueError, match="no good"):
        run.function("fail")()
    with pytest.raises(NameError):
        run.function("absent")()


def test_tests_that_ignore_a_dead_program_are_not_believed(sandbox: Sandbox) -> None:
    with sandbox.session("import os\ndef f(): os._exit(0)") as session:
        session.load()
        with pytest.raises(ConnectionEnded):
            session.function("f")()
        assert session.finish(None).outcome == "crashed"


@pytest.mark.parametrize(
    ("source", "outcome", "error"),
    [
        ("x = 1", "passed", None),
        ("import time\ntime.sleep(60)", "timeout", "no result within 2 s"),
        ("x = bytearray(4 << 30)", "memory", "MemoryError"),
        ("while True: print('x' * 1000)", "output", "wrote more than 1048576 bytes"),
        ("print('x' * (2 << 20))", "output", "wrote more than 1048576 bytes"),
        ("1 / 0", "failed", "ZeroDivisionError: division by zero"),
        ("import os, signal; os.kill(1, signal.SIGKILL); os.abort()", "crashed", "killed by SIG"),
    ],
)
def test_outcomes(sandbox: Sandbox, source: str, outcome: str, error: str | None) -> None:
    result = finish(sandbox, source)
    assert result.outcome == outcome
    assert (result.error or "").startswith(error or "")


def test_output_is_kept(sandbox: Sandbox) -> None:
    result = finish(sandbox, "import sys\nprint('one')\nprint('two', file=sys.stderr)")
    assert sorted(result.output.split()) == ["one", "two"]


def test_an_error_is_told_in_printable_characters_and_briefly(sandbox: Sandbox) -> None:
    source = "raise type('\\x1b[31m', (Exception,), {})('\\x07 \\n\\ud800' + '\\x00' * 900)"
    error = finish(sandbox, source).error or ""
    assert error.startswith(r"\x1b[31m: \x07 \ud800\x00")
    assert error.isprintable()
    assert len(error) == 300


def test_cpu_time_is_limited_apart_from_wall_time() -> None:
    # Hashing lets go of the interpreter lock: four threads use CPU time up to four times as fast as the clock runs.
    source = (
        "import hashlib, resource, threading\nblock = bytes(1 << 24)\n"
        "assert resource.getrlimit(resource.RLIMIT_CPU) == (5, 5)\n"
        "def work():\n    while True: hashlib.sha256(block)\n"
        "for _ in range(3): threading.Thread(target=work, daemon=True).start()\nwork()"
    )
    with Sandbox(Limits(timeout_s=4.0)) as sandbox:
        assert finish(sandbox, source).outcome == "timeout"


def test_nothing_of_one_program_is_seen_by_the_next(sandbox: Sandbox) -> None:
    left = "import builtins, os, sys\nopen('/tmp/left', 'w').write('x')\nbuiltins.left = sys.left = os.left = 1"
    assert finish(sandbox, left).outcome == "passed"
    look = (
        "import builtins, os, sys\nassert os.listdir('/tmp') == [] and os.getpid() == 1\n"
        "assert not any(hasattr(m, 'left') for m in (builtins, os, sys))"
    )
    assert finish(sandbox, look).outcome == "passed"


def test_no_process_is_left_after_a_program() -> None:
    others = children(os.getpid())  # other tests have processes too, which may end by themselves
    with Sandbox(Limits(timeout_s=2.0)) as sandbox:
        finish(sandbox, "pass")
        before = len(children(os.getpid()) - others)
        for _ in range(5):
            finish(sandbox, "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()")
        assert before
        assert len(children(os.getpid()) - others) == before


def test_no_mount_or_file_is_left() -> None:
    mounts, files = Path("/proc/self/mountinfo").read_text(), set(Path("/tmp").iterdir())
    with Sandbox() as sandbox:
        assert finish(sandbox, "open('made-by-program', 'w').close()").outcome == "passed"
        assert Path("/proc/self/mountinfo").read_text() == mounts
    assert not {path.name for path in set(Path("/tmp").iterdir()) - files if path.name == "made-by-program"}


def test_killing_the_parent_ends_everything() -> None:
    code = (
        "from tabwright.sandbox import Sandbox, Limits\n"
        "with Sandbox(Limits(timeout_s=60)) as s, s.session('while True: pass') as x:\n"
        "    print('ready', flush=True); x.load()\n"
    )
    environment = os.environ | {"PYTHONPATH": SOURCE}
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
    try:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        family = children(parent.pid)
        assert len(family) >= 3
    finally:
        parent.kill()
        parent.wait()
        if parent.stdout is not None:
            parent.stdout.close()
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() for child in family) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [child for child in family if Path(f"/proc/{child}").exists()]


def test_a_killed_server_is_an_error_not_a_verdict() -> None:
    others = children(os.getpid())  # other tests have sandboxes too
    with Sandbox() as sandbox:
        for child in children(os.getpid()) - others:
            if b"tabwright.sandbox.zygote" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)
        with pytest.raises(SandboxError, match=r"gone|sealed"):
            finish(sandbox, "x = 1")


def test_packages_are_offered_only_on_request() -> None:
    pytest.importorskip("numpy")
    with Sandbox(packages=["numpy"]) as sandbox:
        with sandbox.session("import numpy\ndef f(n): return numpy.arange(n)") as session:
            session.load()
            assert session.function("f")(3).tolist() == [0, 1, 2]
        assert finish(sandbox, "import pytest").error == "ModuleNotFoundError: No module named 'pytest'"


def test_an_unknown_package_is_named() -> None:
    with pytest.raises(SandboxError, match="'no_such_package' is not installed"):
        Sandbox(packages=["no_such_package"])


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_times_that_no_timer_can_keep_are_refused(timeout_s: float) -> None:
    with pytest.raises(ValueError, match=r"timeout_s: got .*, must be"):
        Limits(timeout_s=timeout_s)
