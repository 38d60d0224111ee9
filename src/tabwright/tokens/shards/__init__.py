"""Documents -> shards of token ids on disk -> batches to train on: packed, shuffled, mixed, with infilling.

    encode_corpus(ShardsConfig(), tokenizer_folder, [corpus_folder], Path("shards"))
    batches = Batches([Shards(Path("shards"))], BatchesConfig(length=2048, rows=8), Encoder(tokenizer_folder))
    batch = batches.at(step)

A batch depends on nothing but its number, so the step is all that a resumed training needs to know.
"""
