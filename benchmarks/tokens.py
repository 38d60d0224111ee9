"""A tokenizer's saving on other repositories, and the speed of encoding beside `tokenizers` and tiktoken.

    python benchmarks/tokens.py SOURCE... --tokenizer DIR --corpus DIR --p50k FILE --gpt2 FILE [--rounds 5]

SOURCEs are repositories that the tokenizer was not trained on. FILEs are Codex's and GPT-2's ranks, a line of base64
and a number for each token, as tiktoken reads them. From the corpus, a tokenizer of the same size is trained whose
pattern leaves no run of white space whole. tiktoken and regex are brought by whoever runs this.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tiktoken
from tokenizers import Tokenizer

from tabwright.corpus.sources import open_source
from tabwright.tokens.byte_spelling import to_bytes
from tabwright.tokens.shards.documents import parts_of, texts_of
from tabwright.tokens.shards.encoder import Encoder
from tabwright.tokens.training import train_tokens, training_pattern

_MAX_BYTES, _TRAIN_BYTES, _SPEED_BYTES = 200_000, 200_000_000, 16_000_000
_PYTHON = (".py", ".pyi")
_SUFFIXES = (*_PYTHON, ".java", ".js", ".ts", ".c", ".cc", ".cpp", ".h", ".go", ".rs", ".rb", ".php", ".cs", ".kt")
# What cuts a run of white space is one character here; all else of the pattern stays.
_RUNS = r"\s*[\r\n]+|\s+(?!\S)|\s+"


def source_texts(places: Sequence[str]) -> dict[str, str]:
    """Return the source code of some repositories by path."""
    texts = {}
    for place in places:
        source = open_source(place, _MAX_BYTES)
        wanted = [entry for entry in source.entries() if entry.path.endswith(_SUFFIXES) and not entry.problem]
        for file in source.read(wanted):
            try:
                texts[f"{file.repository}/{file.path}"] = file.text.decode()
            except UnicodeDecodeError:
                continue
    return texts


def ranks_in(path: Path) -> dict[bytes, int]:
    """Return the ranks of a file of tiktoken's."""
    lines = (line.split() for line in path.read_bytes().splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in lines}


def by_tiktoken(ranks: Mapping[bytes, int], pattern: str) -> tiktoken.Encoding:
    """Return a tokenizer of tiktoken's without special tokens."""
    return tiktoken.Encoding("own", pat_str=pattern, mergeable_ranks=dict(ranks), special_tokens={})


def print_saving(texts: Mapping[str, str], n_tokens: Mapping[str, Callable[[list[str]], int]]) -> None:
    """Print bytes per token of each tokenizer, on all texts and on Python, and the saving against the first one."""
    for what, suffixes in (("all languages", _SUFFIXES), ("Python", _PYTHON)):
        chosen = [text for path, text in texts.items() if path.endswith(suffixes)]
        size = sum(len(text.encode()) for text in chosen)
        counts = {name: count(chosen) for name, count in n_tokens.items()}
        print(f"{what}: {len(chosen):,} files, {size / 1e6:.1f} MB")
        for name, count in counts.items():
            saved = 1 - next(iter(counts.values())) / count
            print(f"  {name:36} {count:12,} tokens, {size / count:5.2f} bytes each; ours are {saved:.1%} fewer")


def print_speed(texts: Sequence[str], folder: Path, pattern: str, rounds: int) -> None:
    """Print MB/s of our encoder and of others with the same vocabulary, and whether the ids are equal."""
    encoder = Encoder(folder)
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    vocabulary = json.loads((folder / "tokenizer.json").read_bytes())["model"]["vocab"]
    tiktokens = by_tiktoken({to_bytes(token): rank for token, rank in vocabulary.items()}, pattern)
    n_threads = len(os.sched_getaffinity(0))
    runs: dict[str, Callable[[], list[list[int]]]] = {
        "tabwright": lambda: split(*encoder.encode(texts)),
        "tokenizers, encode_batch_fast": lambda: [
            found.ids for found in reference.encode_batch_fast(list(texts), add_special_tokens=False)
        ],
        "tiktoken, encode_ordinary_batch": lambda: tiktokens.encode_ordinary_batch(list(texts), num_threads=n_threads),
    }
    size = sum(len(text.encode()) for text in texts)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    ids = {}
    for _ in range(rounds):
        for name, encode in runs.items():
            start = time.perf_counter()
            ids[name] = encode()
            seconds[name].append(time.perf_counter() - start)
    ours = statistics.median(seconds["tabwright"])
    print(f"encoding {len(texts):,} files, {size / 1e6:.1f} MB, {n_threads} cores, medians of {rounds}")
    for name, found in seconds.items():
        median = statistics.median(found)
        same = "the same ids" if ids[name] == ids["tabwright"] else "OTHER IDS"
        print(f"  {name:36} {size / 1e6 / median:7.1f} MB/s ({median / ours:5.1f}x our time), {same}")


def split(ids: np.ndarray, offsets: np.ndarray) -> list[list[int]]:
    """Return the ids of each text."""
    return [part.tolist() for part in np.split(ids, offsets[1:-1])]


def main() -> None:
    """Read the texts, train the other tokenizer, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    for name in ("--tokenizer", "--corpus", "--p50k", "--gpt2"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    texts = source_texts(arguments.sources)
    cut, gpt2_cut = training_pattern("llama-bpe"), training_pattern("gpt-2")
    if _RUNS not in cut:
        raise SystemExit("the pattern llama-bpe has changed: it does not end with what cuts white space")
    encoder = Encoder(arguments.tokenizer)
    n_ordinary = len(json.loads((arguments.tokenizer / "tokenizer.json").read_bytes())["model"]["vocab"])
    training = texts_of(parts_of([arguments.corpus]), _TRAIN_BYTES)
    single = cut.replace(_RUNS, r"\s")
    tokens = train_tokens(training, n_ordinary, single)
    others = {
        "the same without runs": by_tiktoken({token: rank for rank, token in enumerate(tokens)}, single),
        "p50k (Codex)": by_tiktoken(ranks_in(arguments.p50k), gpt2_cut),
        "GPT-2's merges": by_tiktoken(ranks_in(arguments.gpt2), gpt2_cut),
    }

    def counted(encoding: tiktoken.Encoding) -> Callable[[list[str]], int]:
        return lambda chosen: sum(map(len, encoding.encode_ordinary_batch(chosen)))

    counts = {f"ours, {n_ordinary:,} tokens": lambda chosen: len(encoder.encode(chosen)[0])}
    print_saving(texts, counts | {name: counted(encoding) for name, encoding in others.items()})
    some, size = [], 0
    for text in texts.values():
        if size < _SPEED_BYTES:
            some.append(text)
            size += len(text.encode())
    print_speed(some, arguments.tokenizer, cut, arguments.rounds)


if __name__ == "__main__":
    main()
