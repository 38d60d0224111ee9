"""The four ways of Chen et al. 2021 to choose one of a problem's samples, and what each choice would score."""

from __future__ import annotations

from collections.abc import Sequence

from tabwright.records import Score

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
    means = [_NOTHING if score.n_tokens == 0 else score.mean_logprob for score in scores]
    sums = [_NOTHING if score.n_tokens == 0 else _sum_logprob(score) for score in scores]
    return {
        "random": _mean(scores),
        "mean_logprob": _best(scores, means),
        "sum_logprob": _best(scores, sums),
        "oracle": float(any(score.passed for score in scores)),
    }


def _sum_logprob(score: Score) -> float | None:
    return None if score.mean_logprob is None or score.n_tokens is None else score.mean_logprob * score.n_tokens


def _mean(scores: Sequence[Score]) -> float:
    return sum(score.passed for score in scores) / len(scores)


def _best(scores: Sequence[Score], keys: Sequence[float | None]) -> float | None:
    known = [key for key in keys if key is not None]
    if len(known) < len(scores):
        return None
    top = max(known)
    return _mean([score for score, key in zip(scores, known, strict=True) if key == top])
