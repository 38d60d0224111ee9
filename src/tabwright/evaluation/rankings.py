"""The four ways of Chen et al. 2021 to choose one of a problem's samples, and what each choice would score."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING

from tabwright.evaluation.pass_at_k import pass_at_k
from tabwright.records import Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The log-probability of a sample without a token.
_NOTHING = float("-inf")
RANKINGS = ("random", "mean_logprob", "sum_logprob", "oracle")


def rank(scores: Sequence[Score]) -> dict[str, float | None]:
    """Return, for one problem, the chance in 0..1 that the sample chosen by each ranking passes.

    Ties are broken at random, so a tie gives the tied samples' mean. A ranking by log-probability is None where a
    sample has none; one that is empty is chosen last.

    Args:
        scores: the scores of one problem's samples; at least one.

    References:
        Chen et al. 2021, "Evaluating Large Language Models Trained on Code", section 3.3 and figure 7.
    """
    return {name: None if values is None else values[0] for name, values in rank_at(scores, [len(scores)]).items()}


def rank_at(scores: Sequence[Score], ks: Sequence[int]) -> dict[str, list[float] | None]:
    """Return what `rank` would give, on average, had only `k` of one problem's samples been drawn, for each k of `ks`.

    Exact: the mean over all choices of k samples, not a simulation.

    Args:
        scores: the scores of one problem's samples; at least one.
        ks: each in 1..len(scores).

    References:
        Chen et al. 2021, figure 7.
    """
    n, passed = len(scores), sum(score.passed for score in scores)
    means = [_NOTHING if score.n_tokens == 0 else score.mean_logprob for score in scores]
    sums = [_NOTHING if score.n_tokens == 0 else _sum_logprob(score) for score in scores]
    return {
        "random": [passed / n] * len(ks),
        "mean_logprob": _best(scores, means, ks),
        "sum_logprob": _best(scores, sums, ks),
        "oracle": [pass_at_k(n, passed, k) for k in ks],
    }


def _sum_logprob(score: Score) -> float | None:
    return None if score.mean_logprob is None or score.n_tokens is None else score.mean_logprob * score.n_tokens


def _mean(scores: Sequence[Score]) -> float:
    return sum(score.passed for score in scores) / len(scores)


def _best(scores: Sequence[Score], keys: Sequence[float | None], ks: Sequence[int]) -> list[float] | None:
    known = [key for key in keys if key is not None]
    if len(known) < len(scores):
        return None
    ranked = sorted(zip(known, scores, strict=True), key=lambda pair: pair[0], reverse=True)
    chances: list[float] = []
    for _, tied in groupby(ranked, key=lambda pair: pair[0]):
        group = [score for _, score in tied]
        chances += [_mean(group)] * len(group)
    return [float(chance) for chance in chances @ _chosen(len(scores), tuple(ks))]


@cache
def _chosen(n: int, ks: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the chance that the sample at each rank is the best of k that are drawn from n; shape (n, len(ks)).

    It is C(n - 1 - rank, k - 1) / C(n, k), rank by rank: of the n - 1 - rank samples below, all others must come.
    """
    import numpy as np

    k = np.asarray(ks, dtype=np.float64)
    rank = np.arange(n - 1, dtype=np.float64)[:, None]
    steps = np.clip((n - rank - k) / (n - 1 - rank), 0.0, 1.0)
    return np.cumprod(np.concatenate([k[None, :] / n, steps]), axis=0)
