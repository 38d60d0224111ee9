"""CodeGeeX and ChatGLM2 a second time, from their papers and published configurations: plain and slow.

Nothing of the package is used. Weights are made at random under the names of the authors' own files.

References: Zheng et al. 2023, "CodeGeeX", sections 2.2 and 2.3; Du et al. 2022, "GLM"; ChatGLM2's published
configuration; Su et al. 2021, section 3.4.2, equation 34 (rotation of neighbouring elements).
"""

from __future__ import annotations

import math

import torch

Weights = dict[str, torch.Tensor]


def random_weights(shapes: dict[str, tuple[int, ...]], seed: int) -> Weights:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=generator) * 0.2 for name, shape in shapes.items()}


def layer_norm(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    mean = x.mean()
    variance = ((x - mean) ** 2).mean()
    return (x - mean) / torch.sqrt(variance + 1e-5) * weight + bias


def rms_norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x / torch.sqrt((x**2).mean() + 1e-5) * weight


def attend(query: torch.Tensor, keys: list[torch.Tensor], values: list[torch.Tensor]) -> torch.Tensor:
    scores = torch.stack([query @ key for key in keys]) / math.sqrt(len(query))
    shares = torch.exp(scores - scores.max())
    shares = shares / shares.sum()
    return sum((share * value for share, value in zip(shares, values, strict=True)), torch.zeros_like(query))


def codegeex_shapes(vocab: int, width: int, layers: int, context: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "embedding.word_embeddings.weight": (vocab, width),
        "embedding.position_embeddings.weight": (context, width),
        "topQueryEmbedding.top_query_embeddings.weight": (context, width),
        "transformer.final_layernorm.weight": (width,),
        "transformer.final_layernorm.bias": (width,),
    }
    for layer in [*(f"transformer.layers.{i}" for i in range(layers)), "transformer.topQueryLayer"]:
        for norm in ("input_layernorm", "post_attention_layernorm"):
            shapes |= {f"{layer}.{norm}.weight": (width,), f"{layer}.{norm}.bias": (width,)}
        for part in ("query", "key", "value", "dense"):
            shapes |= {f"{layer}.attention.{part}.weight": (width, width), f"{layer}.attention.{part}.bias": (width,)}
        shapes |= {
            f"{layer}.mlp.dense_h_to_4h.weight": (4 * width, width),
            f"{layer}.mlp.dense_h_to_4h.bias": (4 * width,),
            f"{layer}.mlp.dense_4h_to_h.weight": (width, 4 * width),
            f"{layer}.mlp.dense_4h_to_h.bias": (width,),
        }
    return shapes


def codegeex(weights: Weights, ids: list[int], layers: int, heads: int) -> torch.Tensor:
    """Return the logits after each token; the top layer asks with a position's embedding."""
    words = weights["embedding.word_embeddings.weight"]
    states = [words[token] + weights["embedding.position_embeddings.weight"][place] for place, token in enumerate(ids)]

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return layer_norm(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def block(name: str, states: list[torch.Tensor], asking: list[torch.Tensor] | None) -> list[torch.Tensor]:
        normed = [norm(f"{name}.input_layernorm", x) for x in states]
        queries = [linear(f"{name}.attention.query", x) for x in asking or normed]
        keys = [linear(f"{name}.attention.key", x).chunk(heads) for x in normed]
        values = [linear(f"{name}.attention.value", x).chunk(heads) for x in normed]
        out = []
        for place, x in enumerate(states):
            seen = range(place + 1)
            gathered = [
                attend(queries[place].chunk(heads)[h], [keys[s][h] for s in seen], [values[s][h] for s in seen])
                for h in range(heads)
            ]
            x = x + linear(f"{name}.attention.dense", torch.cat(gathered))
            inner = linear(f"{name}.mlp.dense_h_to_4h", norm(f"{name}.post_attention_layernorm", x))
            out.append(x + linear(f"{name}.mlp.dense_4h_to_h", inner / (1 + torch.exp(-1.702 * inner))))
        return out

    for layer in range(layers):
        states = block(f"transformer.layers.{layer}", states, None)
    states = [norm("transformer.final_layernorm", x) for x in states]
    asking = [weights["topQueryEmbedding.top_query_embeddings.weight"][place] for place in range(len(ids))]
    states = block("transformer.topQueryLayer", states, asking)
    return torch.stack([words @ x for x in states])


def chatglm_shapes(
    vocab: int, width: int, layers: int, heads: int, groups: int, head: int, inner: int
) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "transformer.embedding.word_embeddings.weight": (vocab, width),
        "transformer.encoder.final_layernorm.weight": (width,),
        "transformer.output_layer.weight": (vocab, width),
    }
    for i in range(layers):
        layer = f"transformer.encoder.layers.{i}"
        shapes |= {
            f"{layer}.input_layernorm.weight": (width,),
            f"{layer}.self_attention.query_key_value.weight": ((heads + 2 * groups) * head, width),
            f"{layer}.self_attention.query_key_value.bias": ((heads + 2 * groups) * head,),
            f"{layer}.self_attention.dense.weight": (width, heads * head),
            f"{layer}.post_attention_layernorm.weight": (width,),
            f"{layer}.mlp.dense_h_to_4h.weight": (2 * inner, width),
            f"{layer}.mlp.dense_4h_to_h.weight": (width, inner),
        }
    return shapes


def rotate(x: torch.Tensor, place: int) -> torch.Tensor:
    """Rotate neighbouring pairs of the first half of a head."""
    rotated = x.clone()
    width = len(x) // 2
    for pair in range(width // 2):
        angle = place / 10_000 ** (2 * pair / width)
        a, b = float(x[2 * pair]), float(x[2 * pair + 1])
        rotated[2 * pair] = a * math.cos(angle) - b * math.sin(angle)
        rotated[2 * pair + 1] = a * math.sin(angle) + b * math.cos(angle)
    return rotated


def chatglm(weights: Weights, ids: list[int], layers: int, heads: int, groups: int, head: int) -> torch.Tensor:
    """Return the logits after each token."""
    states = [weights["transformer.embedding.word_embeddings.weight"][token] for token in ids]
    for i in range(layers):
        layer = f"transformer.encoder.layers.{i}"
        queries, keys, values = [], [], []
        for place, x in enumerate(states):
            normed = rms_norm(x, weights[f"{layer}.input_layernorm.weight"])
            mixed = weights[f"{layer}.self_attention.query_key_value.weight"] @ normed
            mixed = mixed + weights[f"{layer}.self_attention.query_key_value.bias"]
            query, key, value = torch.split(mixed, [heads * head, groups * head, groups * head])
            queries.append([rotate(part, place) for part in torch.split(query, head)])
            keys.append([rotate(part, place) for part in torch.split(key, head)])
            values.append(torch.split(value, head))
        for place, x in enumerate(states):
            gathered = []
            for h in range(heads):
                group = h // (heads // groups)
                seen = range(place + 1)
                gathered.append(
                    attend(queries[place][h], [keys[s][group] for s in seen], [values[s][group] for s in seen])
                )
            x = x + weights[f"{layer}.self_attention.dense.weight"] @ torch.cat(gathered)
            normed = rms_norm(x, weights[f"{layer}.post_attention_layernorm.weight"])
            gate, value = (weights[f"{layer}.mlp.dense_h_to_4h.weight"] @ normed).chunk(2)
            states[place] = x + weights[f"{layer}.mlp.dense_4h_to_h.weight"] @ (gate * torch.sigmoid(gate) * value)
    states = [rms_norm(x, weights["transformer.encoder.final_layernorm.weight"]) for x in states]
    return torch.stack([weights["transformer.output_layer.weight"] @ x for x in states])
