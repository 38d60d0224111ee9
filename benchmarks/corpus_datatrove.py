"""The same filters and near duplicates by datatrove, told as a line of JSON; run by a Python that has it.

    PYTHON benchmarks/corpus_datatrove.py FOLDER_OF_PARQUET [--words]

With `--words` texts are cut into words by one expression and not by datatrove's tokenizer for English, which is what
makes it fast on source code. Its reader, filters, and the four stages of its MinHash are as in its own example.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.word_tokenizers import WordTokenizer

_WORD = re.compile(r"\w+")
_OTHER = bytes(byte for byte in range(128) if not chr(byte).isalnum())


class Words(WordTokenizer):  # type: ignore[misc]
    """The words of a text by one expression."""

    def word_tokenize(self, text: str) -> list[str]:
        """Return the words."""
        return _WORD.findall(text)

    def sent_tokenize(self, text: str) -> Any:
        """Not used."""
        raise NotImplementedError

    span_tokenize = sent_tokenize


def keep(doc: Any) -> bool:
    """Whether a text passes the rules `lines` and `characters`."""
    lengths = [len(line) for line in doc.text.split("\n")]
    if max(lengths) > 1000 or sum(lengths) / len(lengths) > 100:
        return False
    data = doc.text.encode()
    return len(data.translate(None, _OTHER)) >= 0.25 * len(data)


def main() -> None:
    """Run the stages one after the other in this process; print the seconds and what is left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--words", action="store_true")
    arguments = parser.parse_args()
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
    language = {"language": Words()} if arguments.words else {}
    with tempfile.TemporaryDirectory(prefix="datatrove-") as name:
        base = Path(name)
        read = [ParquetReader(arguments.folder, text_key="text", id_key="path"), LambdaFilter(keep)]
        places = {part: str(base / part) for part in ("signatures", "buckets", "removed", "kept")}
        stages = [
            ([*read, MinhashDedupSignature(places["signatures"], config=config, **language)], 1),
            ([MinhashDedupBuckets(places["signatures"], places["buckets"], config=config)], config.num_buckets),
            ([MinhashDedupCluster(places["buckets"], places["removed"], config=config)], 1),
            ([*read, MinhashDedupFilter(places["removed"]), JsonlWriter(places["kept"], compression=None)], 1),
        ]
        start = time.perf_counter()
        for number, (pipeline, n_tasks) in enumerate(stages):
            LocalPipelineExecutor(pipeline, tasks=n_tasks, workers=1, logging_dir=str(base / f"log{number}")).run()
        seconds = time.perf_counter() - start
        n_documents = sum(path.read_bytes().count(b"\n") for path in (base / "kept").iterdir())
    # Not the system's figure for this process: that begins with what its parent held.
    own = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0])
    peak = max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    print(json.dumps({"seconds": {"all": seconds}, "documents": n_documents, "peak_mb": peak / 1000}))


if __name__ == "__main__":
    main()
