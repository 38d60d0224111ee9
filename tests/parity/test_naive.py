"""CodeGeeX and ChatGLM2 beside plain second implementations, loaded from files in the authors' own layouts."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tests.parity import naive

from tabwright.model.checkpoint import open_checkpoint

IDS = [3, 14, 15, 9, 2, 6, 5, 3, 5, 8, 9, 7]
CODEGEEX = {
    "model_type": "codegeex",
    "padded_vocab_size": 64,
    "hidden_size": 32,
    "num_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 24,
}
CHATGLM = {
    "model_type": "chatglm",
    "padded_vocab_size": 64,
    "hidden_size": 32,
    "num_layers": 3,
    "num_attention_heads": 4,
    "multi_query_group_num": 2,
    "kv_channels": 8,
    "ffn_hidden_size": 40,
    "seq_length": 24,
    "layernorm_epsilon": 1e-5,
}


def nest(flat: naive.Weights) -> dict[str, object]:
    """Return weights as CodeGeeX's file has them: mappings inside mappings down to the transformer's own names."""
    nested: dict[str, dict[str, object]] = {"embedding": {}, "topQueryEmbedding": {}, "transformer": {}}
    for name, tensor in flat.items():
        part, _, rest = name.partition(".")
        if part == "transformer":
            nested[part][rest] = tensor
        else:
            module, _, leaf = rest.partition(".")
            nested[part][module] = {leaf: tensor}
    return {"module": {"language_model": nested}}


def test_codegeex(tmp_path: Path) -> None:
    weights = naive.random_weights(naive.codegeex_shapes(64, 32, 3, 24), seed=1)
    torch.save(nest(weights), tmp_path / "codegeex.pt")
    (tmp_path / "config.json").write_text(json.dumps(CODEGEEX))
    decoder = open_checkpoint(tmp_path / "codegeex.pt").load()
    expected = naive.codegeex(weights, IDS, layers=3, heads=4)
    with torch.inference_mode():
        torch.testing.assert_close(decoder(torch.tensor([IDS]))[0], expected, atol=1e-4, rtol=0)


def test_codegeex_without_a_configuration_is_measured(tmp_path: Path) -> None:
    weights = naive.random_weights(naive.codegeex_shapes(64, 256, 1, 16), seed=2)
    torch.save(nest(weights), tmp_path / "codegeex.pt")
    decoder = open_checkpoint(tmp_path / "codegeex.pt").load()
    assert (decoder.config.n_heads, decoder.config.n_layers, decoder.config.context_length) == (2, 1, 16)
    expected = naive.codegeex(weights, IDS, layers=1, heads=2)
    with torch.inference_mode():
        torch.testing.assert_close(decoder(torch.tensor([IDS]))[0], expected, atol=1e-3, rtol=1e-4)


def test_chatglm(tmp_path: Path) -> None:
    weights = naive.random_weights(naive.chatglm_shapes(64, 32, 3, 4, 2, 8, 40), seed=3)
    stored = weights | {"transformer.rotary_pos_emb.inv_freq": torch.ones(2)}
    names = list(stored)
    shards = {"pytorch_model-00001-of-00002.bin": names[:9], "pytorch_model-00002-of-00002.bin": names[9:]}
    for file, part in shards.items():
        torch.save({name: stored[name] for name in part}, tmp_path / file)
    index = {"metadata": {}, "weight_map": {name: file for file, part in shards.items() for name in part}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    (tmp_path / "config.json").write_text(json.dumps(CHATGLM))
    decoder = open_checkpoint(tmp_path).load()
    expected = naive.chatglm(weights, IDS, layers=3, heads=4, groups=2, head=8)
    with torch.inference_mode():
        torch.testing.assert_close(decoder(torch.tensor([IDS]))[0], expected, atol=1e-4, rtol=0)
