"""Intervals for sums of binomial chances: exact coverage by enumeration, so no test here can fail by chance."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement, pairwise, permutations

import numpy as np
import pytest
from scipy.stats import binom

from erbia.analysis.errors import UsageError
from erbia.analysis.intervals import (
    chance_estimate,
    combine_limits,
    correlator_estimate,
    linear_interval,
    poisson_interval,
)


@pytest.mark.parametrize("n", [1, 2, 7, 25])
def test_a_single_chance_is_covered_everywhere(n: int) -> None:
    lower, upper = np.array([linear_interval(k, n, 1.0) for k in range(n + 1)]).T
    for p in np.linspace(0, 1, 201):
        held = (lower <= p + 1e-4) & (p - 1e-4 <= upper)
        assert binom.pmf(np.arange(n + 1), n, p)[held].sum() >= 0.95 - 1e-9


def test_no_event_in_a_long_run_gives_the_feldman_cousins_limit() -> None:
    # Mean 3.09 at 95 % without background: Feldman and Cousins, PRD 57, 3873, table VI.
    assert linear_interval(0, 1e6, 1e6)[1] == pytest.approx(3.09, abs=0.06)
    assert linear_interval(0, 1e6, 1e6)[0] == 0.0


@lru_cache
def three_bases(n: int) -> dict[tuple[int, ...], tuple[float, float]]:
    outcomes = combinations_with_replacement(range(n + 1), 3)
    return {x: linear_interval(x, [n] * 3, [-0.5] * 3, 1.0) for x in outcomes}


@pytest.mark.parametrize("fidelity", [0.5, 0.61, 0.73, 0.9, 0.97, 0.995])
@pytest.mark.parametrize("split", [(1 / 3, 1 / 3, 1 / 3), (1 / 2, 1 / 3, 1 / 6), (1 / 2, 1 / 2, 0.0)])
def test_a_fidelity_from_ten_shots_a_basis_is_covered(fidelity: float, split: tuple[float, ...]) -> None:
    n = 10
    f = [binom.pmf(np.arange(n + 1), n, 2 * (1 - fidelity) * share) for share in split]
    covered = sum(
        f[0][a] * f[1][b] * f[2][c]
        for x, (lower, upper) in three_bases(n).items()
        if lower <= fidelity <= upper
        for a, b, c in set(permutations(x))
    )
    assert covered >= 0.95


def test_unequal_shots_and_signs() -> None:
    lower, upper = linear_interval([3, 40], [10, 50], [1.0, -1.0], 1.0)
    assert lower < 1 + 0.3 - 0.8 < upper
    mirrored = linear_interval([3, 40], [10, 50], [-1.0, 1.0], -1.0)
    assert mirrored == pytest.approx((-upper, -lower), abs=1e-6)
    assert linear_interval([3, 40], [10, 50], [1.0, 0.0]) == linear_interval(3, 10, 1.0)
    assert linear_interval([3], [10], [0.0], 0.25) == (0.25, 0.25)


def test_more_counts_and_less_confidence_narrow_the_interval() -> None:
    widths = [np.ptp(linear_interval([k, k, k], [10 * k] * 3, [1, 1, 1])) for k in (1, 4, 16, 64, 1000, 100000)]
    assert all(wide > narrow for wide, narrow in pairwise(widths))
    assert np.ptp(linear_interval(5, 50, 1.0, 0.0, 0.68)) < np.ptp(linear_interval(5, 50, 1.0))


def test_large_counts_meet_the_normal_interval() -> None:
    lower, upper = linear_interval([300_000, 310_000, 290_000], [1_000_000] * 3, [1, 1, 1])
    std = np.sqrt(sum(q * (1 - q) for q in (0.3, 0.31, 0.29)) / 1e6)
    assert (lower, upper) == pytest.approx((0.9 - 1.96 * std, 0.9 + 1.96 * std), abs=0.02 * std)


@pytest.mark.parametrize(("x", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(x: int, n: int) -> None:
    with pytest.raises(UsageError, match="successes"):
        linear_interval(x, n, 1.0)


def test_estimates_carry_value_and_standard_error() -> None:
    e = correlator_estimate(9, 10)
    assert (e.value, e.std, e.n) == (pytest.approx(0.8), pytest.approx(np.sqrt(0.36 / 10)), 10)
    assert -1 <= e.lower < e.value < e.upper <= 1
    p = chance_estimate(0, 4)
    assert p.lower == p.value == 0
    assert 0 < p.upper < 1


def test_poisson_interval_is_garwoods() -> None:
    lower, upper = poisson_interval([0, 3])
    assert lower == pytest.approx([0, 0.6187], abs=1e-4)
    assert upper == pytest.approx([3.6889, 8.7673], abs=1e-4)


def test_limits_combine_side_by_side() -> None:
    assert combine_limits(1.0, [(0.7, 1.1), (1.0, 1.4), (0.6, 1.0)]) == pytest.approx((0.5, 1 + np.hypot(0.1, 0.4)))
    assert combine_limits(1.0, []) == (1.0, 1.0)


def test_no_table_of_counts_breaks_it() -> None:
    rng = np.random.default_rng(0)
    for _ in range(150):
        size = int(rng.integers(1, 6))
        n = rng.choice([1, 2, 5, 30, 1000, 100_000], size)
        x = np.array([rng.choice([0, 1, m, rng.integers(0, m + 1)]) for m in n])
        w = rng.choice([1.0, -1.0, 0.5, 2.3], size)
        lower, upper = linear_interval(x, n, w)
        assert lower - 1e-9 <= w @ (x / n) <= upper + 1e-9
        assert np.minimum(w, 0).sum() - 1e-9 <= lower < upper <= np.maximum(w, 0).sum() + 1e-9


def test_a_limit_on_a_tie_of_atoms_is_kept() -> None:
    # At F = 1/2 of a dephased state both tails tie exactly; a limit rounded inwards would lose 2 % of coverage.
    n, f = 50, binom.pmf(np.arange(51), 50, 0.5)
    covered = 0.0
    for a in range(10, 41):
        for b in range(a, 41):
            lower, upper = linear_interval([a, b, 0], [n] * 3, [-0.5] * 3, 1.0)
            covered += f[a] * f[b] * (2 if a != b else 1) * (lower <= 0.5 <= upper)
    assert covered >= 0.955
