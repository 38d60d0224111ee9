"""The unbiased estimator of pass@k, and its uncertainty over problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_RESAMPLES = 10_000
_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over problems with its 95 % bootstrap interval, all in 0..1."""

    value: float
    low: float
    high: float


def pass_at_k(n: int, c: int, k: int) -> float:
    """Return the chance that at least one of `k` samples passes, from `c` passing ones among `n`.

    The product form 1 - prod(1 - k / i for i in n-c+1..n) is stable where the binomials overflow.

    Raises:
        ValueError: not 0 <= c <= n, or not 1 <= k <= n.

    References:
        Chen et al. 2021, "Evaluating Large Language Models Trained on Code", section 2.1 and figure 3.
    """
    if not 0 <= c <= n or not 1 <= k <= n:
        raise ValueError(f"pass@{k} of {c} in {n}: needs 0 <= c <= n and 1 <= k <= n")
    if n - c < k:
        return 1.0
    all_fail = 1.0
    for i in range(n - c + 1, n + 1):
        all_fail *= 1.0 - k / i
    return 1.0 - all_fail


def estimate(values: Sequence[float], *, seed: int = 0) -> Estimate:
    """Return the mean of per-problem values, with the percentile bootstrap interval over problems.

    Args:
        values: one number in 0..1 for each problem; at least one.
        seed: of the resampling; the same seed gives the same interval.
    """
    # Here, as whoever only runs programs (every worker process) must not wait for NumPy.
    import numpy as np

    array = np.asarray(values, dtype=np.float64)
    random = np.random.default_rng(seed)
    means = np.array([array[random.integers(0, array.size, array.size)].mean() for _ in range(_RESAMPLES)])
    low, high = np.percentile(means, _PERCENTILES)
    return Estimate(value=float(array.mean()), low=float(low), high=float(high))
