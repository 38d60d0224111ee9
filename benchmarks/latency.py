"""Latency: a server started as a person starts it, timed from outside, beside plain llama.cpp in the same run.

Measures the time from `tabwright serve` to the first suggestion (the model is already downloaded), cold and warm
suggestions at about 500 tokens of context, in the middle of a file and at its end (cold: a file never seen; key: the
same file one keystroke later; line: one more line of it is finished), memory,
and tokens per second of a 128-token greedy completion beside a llama.cpp server without Tabwright, taken in turns.

    python benchmarks/latency.py [--model qwen2.5-coder-0.5b] [--rounds 20]
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tabwright.sampling.models import pull

_WORDS = ["total", "count", "index", "value", "buffer", "offset", "parser", "node", "queue", "table", "entry", "score"]
_PLAIN = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.hostnames, params.port = sys.argv[1], ["127.0.0.1"], int(sys.argv[2])
params.n_ctx, params.n_parallel, params.cache_ram_mib, params.verbosity, params.ui = 16384, 4, 0, -1, False
for pool in (params.cpuparams, params.cpuparams_batch):
    pool.n_threads = int(sys.argv[3])
server = xllamacpp.Server(params)
print("ready", flush=True)
time.sleep(3600)
"""


def file_of(dice: random.Random, n_lines: int) -> str:
    """Return Python source that no run has seen before; a line is about 12 tokens."""
    lines = [
        f"{dice.choice(_WORDS)}_{dice.randrange(1000)} = {dice.choice(_WORDS)}({dice.randrange(100)})"
        for _ in range(n_lines)
    ]
    return "\n".join([*lines, "", "def add(first, second):", '    """Return the sum of two numbers."""', "    return"])


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Run a process for the length of the block."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def suggestion(url: str, prefix: str, suffix: str, max_tokens: int) -> tuple[float, float, int]:
    """Ask for a suggestion; return seconds to its first text, to its end, and the prompt tokens computed."""
    began, first = time.perf_counter(), 0.0
    usage: dict[str, int] = {}
    body = {"prefix": prefix, "suffix": suffix, "language": "Python", "max_tokens": max_tokens}
    with httpx.stream(
        "POST", f"{url}/v1/suggestions", json=body | {"temperature": 0, "stream": True}, timeout=120
    ) as r:
        r.raise_for_status()
        for line in r.iter_lines():
            if line.startswith("data: {"):
                event = json.loads(line[6:])
                first = first or (time.perf_counter() - began if event.get("text") else 0.0)
                usage = event.get("usage") or usage
    return first, time.perf_counter() - began, usage["prompt_tokens"] - usage["cached_tokens"]


def wait_for_first_suggestion(url: str, process: subprocess.Popen[str]) -> None:
    """Ask until the server answers."""
    while process.poll() is None:
        try:
            suggestion(url, "def add(a, b):\n    return", "", 8)
            return
        except (httpx.TransportError, httpx.HTTPStatusError):
            time.sleep(0.05)
    raise SystemExit("the server ended before its first suggestion")


def resident_bytes(pid: int) -> int:
    """Return the process's resident memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def decode_rate(url: str, body: dict[str, Any]) -> float:
    """Return tokens per second of one greedy completion, wall clock, prompt included."""
    began = time.perf_counter()
    answer = httpx.post(f"{url}/v1/completions", json=body, timeout=120).json()
    return float(answer["usage"]["completion_tokens"]) / (time.perf_counter() - began)


def summary(name: str, seconds: list[float]) -> str:
    """Return median and 95th percentile in milliseconds."""
    p95 = sorted(seconds)[max(0, round(0.95 * len(seconds)) - 1)]
    return f"{name:42} p50 {statistics.median(seconds) * 1000:7.0f} ms   p95 {p95 * 1000:7.0f} ms   n {len(seconds)}"


def measure_suggestions(url: str, rounds: int, suffix: str, n_lines: int) -> None:
    """Time suggestions for files of so many lines: cold, one key later, one line later."""
    dice = random.Random()
    kinds = {"cold": "", "key": " f", "line": " first\n    f"}
    times: dict[str, list[float]] = {name: [] for kind in kinds for name in (kind, f"{kind}, first text")}
    computed: dict[str, list[int]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        prefix = file_of(dice, n_lines)
        for kind, typed in kinds.items():
            first, whole, read = suggestion(url, prefix + typed, suffix, 16)
            times[kind].append(whole)
            times[f"{kind}, first text"].append(first)
            computed[kind].append(read)
    print(f"suggestion of 16 tokens, {n_lines + 4} lines before the cursor, {'some' if suffix else 'nothing'} after it")
    for name, seconds in times.items():
        print(summary(f"  {name}", seconds))
    for kind, reads in computed.items():
        print(f"  prompt tokens computed, {kind}: median {statistics.median(reads):.0f}")


def measure_rates(ours: str, plain: str, rounds: int) -> None:
    """Compare tokens per second with plain llama.cpp, in turns."""
    prompt = "def quicksort(items):\n    if"
    body = {"prompt": prompt, "max_tokens": 128, "temperature": 0, "seed": 1}
    rates: dict[str, list[float]] = {ours: [], plain: []}
    for url in rates:
        decode_rate(url, body)
    for _ in range(rounds):
        for url, values in rates.items():
            values.append(decode_rate(url, body))
    mine, theirs = statistics.median(rates[ours]), statistics.median(rates[plain])
    print(f"tokens per second: tabwright {mine:.1f}, plain llama.cpp {theirs:.1f}, ratio {mine / theirs:.2f}")


def main() -> None:
    """Run every measurement and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    path = pull(arguments.model).path
    port, plain_port = free_port(), free_port()
    url, plain = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{plain_port}"
    began = time.perf_counter()
    with running([sys.executable, "-m", "tabwright", "serve", "-m", arguments.model, "--port", str(port)]) as server:
        wait_for_first_suggestion(url, server)
        print(f"time to first suggestion, from the command: {time.perf_counter() - began:.1f} s")
        for suffix in ("\n\nprint(add(1, 2))\n", ""):
            for n_lines in (40, 120):
                measure_suggestions(url, arguments.rounds, suffix, n_lines)
        print(f"resident memory, 4 slots of 4,096 tokens: {resident_bytes(server.pid) / 1e6:.0f} MB")
        command = [sys.executable, "-c", _PLAIN, str(path), str(plain_port), str(arguments.threads)]
        with running(command) as peer:
            assert peer.stdout is not None
            peer.stdout.readline()
            measure_rates(url, plain, arguments.rounds)


if __name__ == "__main__":
    main()
