"""Load: many clients at once against a running server, every answer compared with the one got alone.

Each client speaks one protocol with prompts of its own, greedily, so an answer that is lost, cut or another client's is
seen. With `--pid` the server's memory is sampled too. The run fails on a status other than 200 (the server's queue must
hold all clients), on an answer that is another's, and when more than 2 % are not what they were alone: a batch's last
bits depend on what else is in it, so a near-tie between two tokens may fall the other way now and then.

    python benchmarks/load.py --url http://127.0.0.1:7860 --clients 64 --seconds 60 --pid PID
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

Call = tuple[str, dict[str, Any]]
_MAX_UNLIKE_SHARE = 0.02


@dataclass(kw_only=True)
class Tally:
    """What happened during the run."""

    latencies_s: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    unlike: list[str] = field(default_factory=list)
    mixed_up: list[str] = field(default_factory=list)
    memory_bytes: list[int] = field(default_factory=list)
    took_s: float = 0.0


def call_of(client: int, turn: int, max_tokens: int) -> Call:
    """Return the request of a client's turn: the protocol goes by the client, the prompt is used by nobody else."""
    word = f"{chr(97 + client % 26)}{chr(97 + client // 26)}{turn}"
    prompt = f"# Module {word}\n{word}_values = ['{word}', '{word}', '{word}', '"
    greedy = {"temperature": 0, "max_tokens": max_tokens}
    question = [{"role": "user", "content": f"Repeat the word {word} ten times."}]
    return (
        ("/v1/completions", {"prompt": prompt, **greedy}),
        ("/v1/completions", {"prompt": prompt, **greedy, "stream": True}),
        ("/v1/chat/completions", {"messages": question, **greedy}),
        ("/", {"lang": "Python", "prompt": prompt, "max_length": max_tokens, "temperature": 0}),
        ("/infill", {"input_prefix": prompt, "input_suffix": "']\n", "n_predict": max_tokens, "temperature": 0}),
        ("/v1/suggestions", {"prefix": prompt, "language": "Python", **greedy}),
    )[client % 6]


def text_of(path: str, response: httpx.Response) -> str:
    """Return the text of an answer in any of the protocols."""
    if response.headers["content-type"].startswith("text/event-stream"):
        lines = [line for line in response.text.split("\n\n") if line]
        if lines[-1] != "data: [DONE]":
            raise ValueError("the stream was cut")
        events = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
        return "".join(e["text"] if "text" in e else e["choices"][0]["text"] for e in events if "usage" not in e)
    body = response.json()
    if path == "/":
        return str(body["response"])
    if path == "/infill":
        return str(body["content"])
    choice = body["choices"][0]
    return str(choice["message"]["content"] if "message" in choice else choice["text"])


async def ask(http: httpx.AsyncClient, call: Call) -> str:
    """Send one request and return its text; an error raises `httpx.HTTPStatusError`."""
    response = await http.post(call[0], json=call[1])
    response.raise_for_status()
    return text_of(call[0], response)


async def run_client(
    http: httpx.AsyncClient, calls: list[tuple[Call, str]], end: float, everyones: set[str], tally: Tally
) -> None:
    """Ask in turn until the end, and compare."""
    turn = 0
    while time.perf_counter() < end:
        call, alone = calls[turn % len(calls)]
        turn += 1
        started = time.perf_counter()
        try:
            text = await ask(http, call)
        except httpx.HTTPStatusError as error:
            tally.statuses[str(error.response.status_code)] += 1
            await asyncio.sleep(float(error.response.headers.get("Retry-After", 1)))
            continue
        except (httpx.TransportError, ValueError, KeyError) as error:
            tally.statuses[type(error).__name__] += 1
            continue
        tally.latencies_s.append(time.perf_counter() - started)
        tally.statuses["200"] += 1
        if text != alone:
            found = tally.mixed_up if text in everyones else tally.unlike
            found.append(f"{call[0]}: {text!r} instead of {alone!r}")


async def watch_memory(pid: int, tally: Tally) -> None:
    """Sample a process's resident memory each second."""
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    while True:
        fields = await asyncio.to_thread(Path(f"/proc/{pid}/statm").read_text)
        tally.memory_bytes.append(int(fields.split()[1]) * page_bytes)
        await asyncio.sleep(1)


async def measure(options: argparse.Namespace) -> Tally:
    """Get every answer alone, then run all clients at once."""
    tally = Tally()
    limits = httpx.Limits(max_connections=options.clients)
    async with httpx.AsyncClient(base_url=options.url, timeout=600, limits=limits) as http:
        if options.api_key:
            http.headers["Authorization"] = f"Bearer {options.api_key}"
        calls: list[list[tuple[Call, str]]] = []
        for client in range(options.clients):
            row = [call_of(client, turn, options.max_tokens) for turn in range(options.prompts)]
            calls.append([(call, await ask(http, call)) for call in row])
        print(f"{options.clients * options.prompts} answers got alone; now {options.clients} clients", flush=True)
        watcher = asyncio.create_task(watch_memory(options.pid, tally)) if options.pid else None
        everyones = {alone for row in calls for _, alone in row}
        end = time.perf_counter() + options.seconds
        await asyncio.gather(*(run_client(http, row, end, everyones, tally) for row in calls))
        tally.took_s = time.perf_counter() - end + options.seconds
        if watcher is not None:
            watcher.cancel()
    return tally


def report(tally: Tally) -> None:
    """Print the figures."""
    took_s = tally.took_s
    done = len(tally.latencies_s)
    cuts = statistics.quantiles(tally.latencies_s, n=20) if done > 1 else [0.0] * 19
    print(f"requests        {done} answered in {took_s:.1f} s: {done / took_s:.2f} requests/s")
    print(f"latency         p50 {cuts[9]:.2f} s, p95 {cuts[18]:.2f} s")
    print(f"statuses        {dict(tally.statuses)}")
    print(f"answers         {len(tally.mixed_up)} of another request, {len(tally.unlike)} not as they were alone")
    for line in [*tally.mixed_up, *tally.unlike][:5]:
        print(f"  {line[:300]}")
    if tally.memory_bytes:
        first, last = tally.memory_bytes[len(tally.memory_bytes) // 4], tally.memory_bytes[-1]
        mib = 2**20
        print(f"memory          {first / mib:.1f} MiB after a quarter, {last / mib:.1f} MiB at the end ", end="")
        print(f"({(last - first) / mib:+.1f} MiB), highest {max(tally.memory_bytes) / mib:.1f} MiB")


def main() -> int:
    """Run and report; return 1 when the run failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--url", default="http://127.0.0.1:7860")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--prompts", type=int, default=1, help="prompts of each client, asked in turn")
    parser.add_argument("--max-tokens", type=int, default=8)
    parser.add_argument("--pid", type=int, help="process of the server, to watch its memory")
    parser.add_argument("--api-key", default="")
    options = parser.parse_args()
    tally = asyncio.run(measure(options))
    report(tally)
    too_many = len(tally.unlike) > _MAX_UNLIKE_SHARE * len(tally.latencies_s)
    return 1 if tally.mixed_up or too_many or set(tally.statuses) != {"200"} else 0


if __name__ == "__main__":
    sys.exit(main())
