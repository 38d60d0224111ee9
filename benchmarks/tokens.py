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
from typing import Any

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


def print_speed(groups: Sequence[Sequence[str]], folder: Path, pattern: str) -> None:
    """Print MB/s of our encoder and of others with the same vocabulary, and whether the ids are equal.

    Each round has texts of its own, as all of them remember words that they have seen.
    """
    encoder = Encoder(folder)
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    vocabulary = json.loads((folder / "tokenizer.json").read_bytes())["model"]["vocab"]
    tiktokens = by_tiktoken({to_bytes(token): rank for token, rank in vocabulary.items()}, pattern)
    n_threads = len(os.sched_getaffinity(0))
    runs: dict[str, Callable[[list[str]], Any]] = {
        "tabwright": encoder.encode,
        "tokenizers, encode_batch_fast": lambda texts: [
            found.ids for found in reference.encode_batch_fast(texts, add_special_tokens=False)
        ],
        "tiktoken, encode_ordinary_batch": lambda texts: tiktokens.encode_ordinary_batch(texts, num_threads=n_threads),
    }
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    differ = set()
    for texts in groups:
        size = sum(len(text.encode()) for text in texts)
        ids = {}
        for name, encode in runs.items():
            start = time.perf_counter()
            ids[name] = encode(list(texts))
            speeds[name].append(size / 1e6 / (time.perf_counter() - start))
        flat, offsets = ids.pop("tabwright")
        expected = [part.tolist() for part in np.split(flat, offsets[1:-1])]
        differ |= {name for name, found in ids.items() if found != expected}
    print(f"encoding, {n_threads} cores, medians of {len(groups)} rounds of {_SPEED_BYTES / 1e6:.0f} MB each")
    for name, found in speeds.items():
        speed, ours = statistics.median(found), statistics.median(speeds["tabwright"])
        same = "OTHER IDS" if name in differ else "the same ids"
        print(f"  {name:36} {speed:7.1f} MB/s ({ours / speed:5.1f}x our time), {same}; first round {found[0]:.1f} MB/s")


def corpus_groups(folder: Path, n_groups: int) -> list[list[str]]:
    """Return so many groups of a corpus's texts, spread over all of it."""
    groups: list[list[str]] = [[]]
    size = 0
    for text in texts_of(parts_of([folder]), n_groups * _SPEED_BYTES):
        if size >= _SPEED_BYTES and len(groups) < n_groups:
            groups.append([])
            size = 0
        groups[-1].append(text)
        size += len(text.encode())
    return groups


def main() -> None:
    """Read the texts, train the other tokenizer, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+")
    for name in ("--tokenizer", "--corpus", "--p50k", "--gpt2"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    texts = source_texts(arguments.sources)
    if not texts:
        raise SystemExit(f"{', '.join(arguments.sources)}: no source code is in there")
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
    print_speed(corpus_groups(arguments.corpus, arguments.rounds), arguments.tokenizer, cut)


if __name__ == "__main__":
    main()
