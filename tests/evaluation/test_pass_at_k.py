"""The product form equals the binomial definition where that can be computed, and is stable where it cannot."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tabwright.evaluation.pass_at_k import estimate, estimate_each, pass_at_each_k, pass_at_k


@pytest.mark.parametrize("n", [1, 2, 7, 20])
def test_equals_the_definition(n: int) -> None:
    for c in range(n + 1):
        for k in range(1, n + 1):
            expected = 1 - math.comb(n - c, k) / math.comb(n, k)
            assert pass_at_k(n, c, k) == pytest.approx(expected, abs=1e-12)


def test_is_stable_for_many_samples() -> None:
    assert pass_at_k(100_000, 1, 100) == pytest.approx(0.001)
    assert pass_at_k(200, 0, 100) == 0.0
    assert pass_at_k(200, 150, 100) == 1.0


@pytest.mark.parametrize(("n", "c", "k"), [(1, 2, 1), (5, -1, 1), (5, 1, 6), (5, 1, 0)])
def test_refuses_what_has_no_meaning(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="needs 0 <= c <= n"):
        pass_at_k(n, c, k)


def test_interval() -> None:
    values = [1.0] * 82 + [0.0] * 82
    got = estimate(values)
    assert got.value == 0.5
    # The normal approximation: 1.96 standard errors on either side.
    half = 1.96 * 0.5 / math.sqrt(164)
    assert got.low == pytest.approx(0.5 - half, abs=0.01)
    assert got.high == pytest.approx(0.5 + half, abs=0.01)
    assert estimate(values) == got
    assert estimate([1.0, 1.0]).low == 1.0


@pytest.mark.parametrize(("n", "c"), [(1, 0), (1, 1), (7, 0), (7, 2), (7, 7), (200, 3)])
def test_every_k_at_once_equals_one_k_at_a_time(n: int, c: int) -> None:
    assert list(pass_at_each_k(n, c, n)) == pytest.approx([pass_at_k(n, c, k) for k in range(1, n + 1)], abs=1e-12)


def test_columns_share_their_resamples() -> None:
    values = np.array([[0.0, 0.5], [1.0, 1.0], [0.25, 0.5]] * 30)
    each = estimate_each(values)
    assert each == [estimate(list(column)) for column in values.T]
    assert each[0].low < each[1].low


def test_blocks_of_resamples_are_what_all_at_once_would_be() -> None:
    values = np.random.default_rng(1).random(500)
    drawn = np.random.default_rng(0).integers(0, 500, (10_000, 500))  # 5 million numbers, more than a block
    expected = np.percentile(values[drawn].mean(axis=1), (2.5, 97.5))
    got = estimate(list(values))
    assert [got.low, got.high] == pytest.approx(expected, abs=1e-12)
