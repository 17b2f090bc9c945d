"""Lifetimes shorter and longer than the timing response, from simulated photons."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.analysis.errors import UsageError
from erbia.analysis.jitter_budget import Response
from erbia.analysis.lifetime import fit_lifetime
from erbia.analysis.records import CorrelationHistogram

BIN_PS, SIGMA_PS, TAIL_PS, START_PS = 50, 200.0, 150.0, 3_000.0
EDGES_PS = np.arange(0, 40_001, BIN_PS)


def histogram(times_ps: np.ndarray) -> CorrelationHistogram:
    counts = np.histogram(times_ps, EDGES_PS)[0].astype(np.int64)
    return CorrelationHistogram(EDGES_PS[:-1], counts, BIN_PS, len(times_ps), len(times_ps), 10**12)


def arrivals(rng: np.random.Generator, lifetime_ps: float, events: int, sigma: float = SIGMA_PS, tail: float = TAIL_PS):
    times = (
        START_PS + rng.normal(0, sigma, events) + rng.exponential(tail, events)
        if tail
        else START_PS + rng.normal(0, sigma, events)
    )
    return np.concatenate([times + rng.exponential(lifetime_ps, events), rng.uniform(0, 40_000, events // 20)])


@pytest.mark.parametrize("lifetime_ps", [150.0, 400.0, 3_000.0])
def test_a_fitted_response_is_taken_out(lifetime_ps: float) -> None:
    # At 150 ps lifetime and tail are equal, where the closed form has a removable pole.
    decay = histogram(arrivals(np.random.default_rng(1), lifetime_ps, 100_000))
    fit = fit_lifetime(decay, Response(np.hypot(SIGMA_PS, TAIL_PS), TAIL_PS))
    assert abs(fit.lifetime.value - lifetime_ps * 1e-12) < 4 * fit.lifetime.std
    assert abs(fit.delay_ps.value - START_PS) < 4 * fit.delay_ps.std
    assert fit.lifetime.std < 0.05 * fit.lifetime.value
    assert fit.fit.p_value > 1e-4


@pytest.mark.parametrize("lifetime_ps", [400.0, 3_000.0])
def test_a_measured_response_is_taken_out(lifetime_ps: float) -> None:
    rng = np.random.default_rng(2)
    response = histogram(10_000 + rng.normal(0, SIGMA_PS, 10**6) + rng.exponential(TAIL_PS, 10**6))
    fit = fit_lifetime(histogram(arrivals(rng, lifetime_ps, 50_000)), response)
    assert abs(fit.lifetime.value - lifetime_ps * 1e-12) < 4 * fit.lifetime.std
    assert abs(fit.delay_ps.value - (START_PS - 10_000)) < 4 * fit.delay_ps.std
    assert fit.fit.p_value > 1e-4


def test_without_a_response_long_decays_are_still_right() -> None:
    fit = fit_lifetime(histogram(arrivals(np.random.default_rng(3), 5_000.0, 20_000, sigma=1.0, tail=0.0)))
    assert abs(fit.lifetime.value - 5e-9) < 4 * fit.lifetime.std


def test_few_photons_give_a_wide_interval_that_holds_the_truth() -> None:
    fit = fit_lifetime(histogram(arrivals(np.random.default_rng(4), 2_000.0, 30)), Response(250.0, 150.0))
    assert fit.lifetime.lower < 2e-9 < fit.lifetime.upper
    assert fit.lifetime.upper > 1.5 * fit.lifetime.lower


def test_impossible_input_is_refused() -> None:
    decay = histogram(arrivals(np.random.default_rng(5), 2_000.0, 100))
    with pytest.raises(UsageError, match="0 counts"):
        fit_lifetime(histogram(np.zeros(0)))
    with pytest.raises(UsageError, match="bins of 50 ps like the decay"):
        fit_lifetime(decay, histogram(np.zeros(0)))
