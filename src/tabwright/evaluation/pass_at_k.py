"""The unbiased estimator of pass@k, and its uncertainty over problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RESAMPLES = 10_000
_PERCENTILES = (2.5, 97.5)
# Resamples are drawn in blocks of so many numbers, as thousands of problems would fill the memory at once.
_BLOCK = 2_000_000


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over problems with its 95 % bootstrap interval."""

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


def pass_at_each_k(n: int, c: int, most: int) -> NDArray[np.float64]:
    """Return `pass_at_k(n, c, k)` for k = 1..`most`, float64 of shape (most,).

    One step leads from k to k + 1: of n - k samples that are left, n - c - k fail. So no factor leaves 0..1.

    Raises:
        ValueError: not 0 <= c <= n, or not 1 <= most <= n.
    """
    import numpy as np

    if not 0 <= c <= n or not 1 <= most <= n:
        raise ValueError(f"pass@1..{most} of {c} in {n}: needs 0 <= c <= n and 1 <= k <= n")
    taken = np.arange(most, dtype=np.float64)
    steps: NDArray[np.float64] = np.maximum((n - c - taken) / (n - taken), 0.0)
    return 1.0 - np.multiply.accumulate(steps)


def estimate(values: Sequence[float], *, seed: int = 0) -> Estimate:
    """Return the mean of per-problem values, with the percentile bootstrap interval over problems.

    Args:
        values: one number for each problem; at least one.
        seed: of the resampling; the same seed gives the same interval.
    """
    import numpy as np

    return estimate_each(np.asarray(values, dtype=np.float64)[:, None], seed=seed)[0]


def estimate_each(values: NDArray[np.float64], *, seed: int = 0) -> list[Estimate]:
    """Return `estimate` of each column.

    All columns share their resamples: one that is nowhere below another has no lower interval either.

    Args:
        values: float64 of shape (problems, columns); at least one problem.
        seed: of the resampling.
    """
    # Here, as whoever only runs programs (every worker process) must not wait for NumPy.
    import numpy as np

    n = len(values)
    random = np.random.default_rng(seed)
    means = []
    left = _RESAMPLES
    while left:
        rows = min(left, max(1, _BLOCK // n))
        drawn = random.integers(0, n, (rows, n)) + np.arange(0, rows * n, n)[:, None]
        times_drawn = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        means.append(times_drawn.astype(np.float64) @ values / n)
        left -= rows
    lows, highs = np.percentile(np.concatenate(means), _PERCENTILES, axis=0)
    rows_of = zip(values.mean(axis=0), lows, highs, strict=True)
    return [Estimate(value=float(value), low=float(low), high=float(high)) for value, low, high in rows_of]
