"""Thermal light of the correlation bench: photon statistics of every order, and independence of how time is cut.

Statistical tests allow 4.5 standard errors (false alarm below 1e-5) with fixed seeds.
"""

from __future__ import annotations

from math import exp, factorial, sqrt

import numpy as np
import pytest

from erbia.instruments.twin.bench import Thermal
from erbia.instruments.twin.streams import key

TAU_S = 1e-6
SECOND_PS = 10**12


def thermal(rate_hz: float, duration_s: float, seed: int = 1) -> np.ndarray:
    return Thermal(key(seed, "thermal"), 0, rate_hz, TAU_S).take_until(round(duration_s * SECOND_PS))


def batches(values: np.ndarray, count: int = 50) -> tuple[float, float]:
    """Mean of the values and its standard error from means over long stretches."""
    means = np.array([part.mean() for part in np.array_split(values, count)])
    return float(means.mean()), float(means.std(ddof=1) / sqrt(count))


@pytest.mark.parametrize("rate_hz", [2e5, 5e6, 4e7])
def test_mean_rate_and_second_order_over_three_coherence_times(rate_hz):
    """Counts in cells of a tenth of the coherence time: <n_i n_j>/<n>^2 = 1 + mean of exp(-2|t|/tau) over the cells."""
    cell_s, duration_s = 1e-7, min(2e6 / rate_hz, 0.5)
    counts = np.bincount(thermal(rate_hz, duration_s) // 100_000, minlength=round(duration_s / cell_s)).astype(float)
    mean, error = batches(counts)
    assert abs(mean - rate_hz * cell_s) < 4.5 * error
    for lag in (1, 3, 10, 30):
        found, error = batches(counts[lag:] * counts[:-lag])
        over_cell = (np.sinh(0.1) / 0.1) ** 2
        expected = (rate_hz * cell_s) ** 2 * (1 + exp(-0.2 * lag) * over_cell)
        assert abs(found - expected) < 4.5 * error


@pytest.mark.parametrize("order", [2, 3, 4])
def test_photons_within_a_short_time_are_bose_einstein(order):
    """Factorial moments n! <n>^n, less what the light forgets in a hundredth of its coherence time (at most 3 %)."""
    cells = 4_000_000
    counts = np.bincount(thermal(4e7, cells * 1e-8) // 10_000, minlength=cells).astype(float)
    falling = np.prod([counts - k for k in range(order)], axis=0)
    found, error = batches(falling)
    expected = factorial(order) * 0.4**order
    assert found < expected + 4.5 * error
    assert found > 0.97 * expected - 4.5 * error


def test_three_photons_are_correlated_as_the_field_is():
    """<n1 n2 n3> = 1 + g12^2 + g23^2 + g13^2 + 2 g12 g23 g13 of the cells' fields."""
    counts = np.bincount(thermal(2e7, 0.2) // 20_000, minlength=10_000_000).astype(float)
    lag = 10  # 200 ns
    found, error = batches(counts[: -2 * lag] * counts[lag:-lag] * counts[2 * lag :])
    near, far = exp(-0.2), exp(-0.4)
    expected = 0.4**3 * (1 + 2 * near**2 + far**2 + 2 * near * near * far)
    assert abs(found - expected) < 4.5 * error + 2e-4 * expected


def test_cutting_time_changes_no_photon():
    whole = thermal(1e7, 0.01)
    source = Thermal(key(1, "thermal"), 0, 1e7, TAU_S)
    rng = np.random.default_rng(1)
    cuts = [*np.sort(rng.integers(0, SECOND_PS // 100, 300)), SECOND_PS // 100]
    assert np.array_equal(whole, np.concatenate([source.take_until(int(t)) for t in cuts]))
