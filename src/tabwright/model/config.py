"""The decoder's configuration: every difference between the families is one of these fields."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Literal, get_args, get_type_hints

Norm = Literal["layer", "rms"]
Activation = Literal["gelu", "gelu_tanh", "gelu_sigmoid", "silu"]
Position = Literal["learned", "rotary"]
RopeScaling = Literal["none", "linear", "ntk"]
Biases = Literal["none", "qkv", "all"]


_MOST = 2**31 - 1


class ConfigError(ValueError):
    """A configuration that cannot be; the message names the field, the value and the remedy."""


class WeightsError(RuntimeError):
    """Files of weights that cannot be read, or do not fit; the message names tensors, shapes and the remedy."""


@dataclass(frozen=True, kw_only=True)
class DecoderConfig:
    """One decoder-only transformer.

    Attributes:
        vocab_size: rows of the token embedding, padding rows among them.
        d_model: width of the residual stream.
        n_layers: layers without the top-query layer.
        n_heads: query heads; `n_kv_heads` of them hold keys and values (Ainslie et al. 2023, grouped queries).
        d_head: width of a head.
        d_ff: inner width of the feed-forward block; of each half where it is gated.
        context_length: most positions.
        norm: LayerNorm, or RMSNorm (Zhang and Sennrich 2019); always before a block, always computed in fp32.
        norm_eps: what is added to the variance.
        activation: `gelu` is exact, `gelu_tanh` is GPT-2's, `gelu_sigmoid` is x * sigmoid(1.702 x) (Hendrycks and
            Gimpel 2016, section 2), which MindSpore calls FastGELU.
        gated: down(activation(gate(x)) * up(x)) (Shazeer 2020) instead of down(activation(up(x))).
        position: learned embeddings, or rotary ones (Su et al. 2021).
        rope_theta: base of the rotary frequencies; 1e6 for long contexts (Roziere et al. 2023, section 2.4).
        rope_share: share of each head that is rotated, from its beginning.
        rope_interleaved: pairs are neighbours (2i, 2i + 1), as the paper has them, instead of (i, i + half).
        rope_scaling: `linear` divides positions by `rope_factor` (Chen et al. 2023, position interpolation); `ntk`
            raises the base to theta * factor^(d / (d - 2)) ("NTK-aware" scaling, bloc97 2023). A change of base
            alone is `rope_theta`.
        rope_factor: how many times longer the context is than in training.
        biases: which linear layers have one: none, those of query, key and value, or all but the output's.
        tied_embeddings: the output's weight is the token embedding's.
        top_query: one more layer on top, whose query is an embedding of the next position (Zheng et al. 2023,
            CodeGeeX, section 2.2).
        attention_window: how many positions back a token sees, itself among them; 0 is all.
    """

    vocab_size: int
    d_model: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_head: int
    d_ff: int
    context_length: int
    norm: Norm = "rms"
    norm_eps: float = 1e-5
    activation: Activation = "silu"
    gated: bool = True
    position: Position = "rotary"
    rope_theta: float = 10_000.0
    rope_share: float = 1.0
    rope_interleaved: bool = False
    rope_scaling: RopeScaling = "none"
    rope_factor: float = 1.0
    biases: Biases = "none"
    tied_embeddings: bool = False
    top_query: bool = False
    attention_window: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            check_field(field.name, getattr(self, field.name))
        if self.rope_share > 1:
            raise ConfigError(f"rope_share: got {self.rope_share}, must be at most 1")
        if self.n_heads % self.n_kv_heads:
            raise ConfigError(f"n_kv_heads: got {self.n_kv_heads}, must divide n_heads = {self.n_heads}")
        if self.position == "rotary" and self.d_rope % 2:
            raise ConfigError(f"rope_share: got {self.rope_share}, must rotate an even part of d_head = {self.d_head}")

    @property
    def d_rope(self) -> int:
        """How many elements of a head are rotated."""
        return int(self.d_head * self.rope_share)

    @property
    def n_parameters(self) -> int:
        """Weights and biases, each once."""
        attention = self.d_head * (self.n_heads + self.n_kv_heads) * 2 * self.d_model
        feed_forward = (3 if self.gated else 2) * self.d_model * self.d_ff
        norm = self.d_model * (2 if self.norm == "layer" else 1)
        bias = {"none": 0, "qkv": self.d_head * (self.n_heads + 2 * self.n_kv_heads)}.get(self.biases)
        if bias is None:
            bias = self.d_head * (self.n_heads + 2 * self.n_kv_heads) + 2 * self.d_model
            bias += self.d_ff * (2 if self.gated else 1)
        n_layers = self.n_layers + self.top_query
        embeddings = self.vocab_size * self.d_model * (1 if self.tied_embeddings else 2)
        positions = self.context_length * self.d_model * ((self.position == "learned") + self.top_query)
        return n_layers * (attention + feed_forward + 2 * norm + bias) + norm + embeddings + positions


def check_field(name: str, value: Any) -> None:
    """Check a field by itself.

    Raises:
        ConfigError: it cannot have that value.
    """
    kind = _kinds()[name]
    if choices := get_args(kind):
        if value not in choices:
            raise ConfigError(f"{name}: got {value!r}; known are {', '.join(choices)}")
    elif kind is bool:
        if not isinstance(value, bool):
            raise ConfigError(f"{name}: got {value!r}, must be true or false")
    elif kind is float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise ConfigError(f"{name}: got {value!r}, must be a number above 0")
    else:
        least = 0 if name == "attention_window" else 1
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= _MOST:
            raise ConfigError(f"{name}: got {value!r:.40}, must be a whole number from {least} to {_MOST}")


@cache
def _kinds() -> dict[str, Any]:
    return get_type_hints(DecoderConfig)
