"""The continuous g2(0) fit against simulated dips and bunching."""

from __future__ import annotations

import numpy as np
import pytest

from erbia.analysis.antibunching import fit_antibunching
from erbia.analysis.errors import UsageError
from erbia.analysis.records import CorrelationHistogram

BIN_PS = 200


def simulated(g2_zero: float, tau_ps: float, sigma_ps: float, plateau: float, seed: int) -> CorrelationHistogram:
    """Counts about a curve made by brute-force convolution on a fine grid."""
    lag_ps = np.arange(-100, 100, dtype=np.int64) * BIN_PS
    fine = np.arange(-60_000, 60_000, 10.0)
    curve = 1 - (1 - g2_zero) * np.exp(-np.abs(fine) / tau_ps)
    if sigma_ps:
        kernel = np.exp(-(np.arange(-5_000, 5_001, 10.0) ** 2) / (2 * sigma_ps**2))
        curve = np.convolve(curve, kernel / kernel.sum(), mode="same")
    mean = plateau * np.array([curve[(fine >= t) & (fine < t + BIN_PS)].mean() for t in lag_ps])
    return CorrelationHistogram(lag_ps, np.random.default_rng(seed).poisson(mean), BIN_PS, 10**5, 10**5, 10**12)


@pytest.mark.parametrize("g2_zero", [0.0, 0.1, 0.6, 1.7])
@pytest.mark.parametrize("sigma_ps", [0.0, 400.0])
def test_jitter_is_taken_out(g2_zero: float, sigma_ps: float) -> None:
    fit = fit_antibunching(simulated(g2_zero, 3000.0, sigma_ps, 400.0, 1), sigma_ps)
    e = fit.g2_zero
    assert abs(e.value - g2_zero) < 4 * e.std
    assert e.upper - e.lower < 0.3
    assert abs(fit.correlation_time.value - 3e-9) < 4 * fit.correlation_time.std
    assert fit.fit.p_value > 1e-4


def test_the_raw_value_keeps_the_blur() -> None:
    fit = fit_antibunching(simulated(0.0, 1000.0, 800.0, 400.0, 2), 800.0)
    assert fit.raw_g2_zero.lower > 0.2
    assert fit.g2_zero.lower == 0.0
    assert fit.g2_zero.upper < 0.2


def test_few_counts_leave_g2_open_and_none_is_an_error() -> None:
    fit = fit_antibunching(simulated(0.1, 3000.0, 0.0, 0.3, 3))
    assert fit.g2_zero.upper > 0.5
    with pytest.raises(UsageError, match="0 counts"):
        fit_antibunching(simulated(0.1, 3000.0, 0.0, 0.0, 4))
