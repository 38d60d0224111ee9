"""Source trees -> filtered, formatted, deduplicated, decontaminated Documents: steps from Arrow table to table.

    config = read_recipe(Path("recipes/corpus.toml"), "corpus", CorpusConfig)
    report = build_corpus(config, ["repository", "sdist.tar.gz"], Path("corpus"), problems=problems, n_workers=2)

`build_corpus` stands in `corpus.build`, as it needs the libraries of the extra `corpus`; nothing here does.
"""

from tabwright.corpus.config import CorpusConfig, NearDuplicates
from tabwright.corpus.errors import CorpusError

__all__ = ["CorpusConfig", "CorpusError", "NearDuplicates"]
