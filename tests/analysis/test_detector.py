"""Detector characteristics against simulated bias sweeps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf
from scipy.stats import norm

from erbia.analysis.detector import DetectorFit, best_working_point, fit_detector
from erbia.analysis.errors import UsageError

BIAS_A = np.linspace(4e-6, 20e-6, 17)
FLUX_HZ = 50_000.0
SATURATED, INFLECTION_A, WIDTH_A, STRAY_HZ = 0.85, 9e-6, 2.5e-6, 40.0


def darks_hz(bias_a: np.ndarray) -> np.ndarray:
    return STRAY_HZ * (1 + erf((bias_a - INFLECTION_A) / WIDTH_A)) / 2 + 200 * np.exp((bias_a - 20e-6) / 0.8e-6)


def sweep(seed: int = 1, time_s: float = 2.0) -> DetectorFit:
    rng = np.random.default_rng(seed)
    efficiency = SATURATED * (1 + erf((BIAS_A - INFLECTION_A) / WIDTH_A)) / 2
    light = rng.poisson((FLUX_HZ * efficiency + darks_hz(BIAS_A)) * time_s)
    dark = rng.poisson(darks_hz(BIAS_A) * 10 * time_s)
    return fit_detector(BIAS_A, light, dark, time_s, 10 * time_s, FLUX_HZ)


def test_every_parameter_is_found() -> None:
    fit = sweep()
    # 99 % of an error-function step lies at norm.ppf(0.99)/sqrt(2) widths above its middle.
    plateau = INFLECTION_A + WIDTH_A * norm.ppf(0.99) / np.sqrt(2)
    pairs = [
        (fit.saturated_efficiency, SATURATED),
        (fit.inflection_a, INFLECTION_A),
        (fit.width_a, WIDTH_A),
        (fit.plateau_start_a, plateau),
        (fit.stray_rate_hz, STRAY_HZ),
    ]
    for estimate, truth in pairs:
        assert abs(estimate.value - truth) < 4 * estimate.std
        assert estimate.lower <= estimate.value <= estimate.upper
    assert fit.fit.p_value > 1e-4
    np.testing.assert_allclose(fit.dark_rate_hz(BIAS_A[-3:]), darks_hz(BIAS_A[-3:]), rtol=0.1)
    assert fit.efficiency([INFLECTION_A])[0] == pytest.approx(SATURATED / 2, rel=0.02)


def test_working_point_lies_on_the_plateau_and_obeys_the_limit() -> None:
    fit = sweep()
    point = best_working_point(fit, switching_current_a=21e-6)
    assert 11e-6 < point.bias_a < 18e-6
    assert point.efficiency > 0.9 * SATURATED
    limited = best_working_point(fit, 21e-6, max_dark_rate_hz=20.0)
    assert limited.dark_rate_hz <= 20.0
    assert limited.bias_a < point.bias_a
    with pytest.raises(UsageError, match="no bias has a dark rate"):
        best_working_point(fit, 21e-6, max_dark_rate_hz=1e-30)


def test_a_detector_that_does_not_saturate_leaves_the_efficiency_open() -> None:
    low = BIAS_A[BIAS_A < INFLECTION_A]
    rng = np.random.default_rng(3)
    light = rng.poisson(100 * (1 + erf((low - INFLECTION_A) / WIDTH_A)) / 2 + 1)
    fit = fit_detector(low, light, np.ones(len(low)), 1.0, 1.0, 1000.0)
    assert fit.saturated_efficiency.upper > 3 * fit.saturated_efficiency.value
    assert fit.plateau_start_a.upper > low.max()


def test_dark_detectors_and_impossible_tables() -> None:
    nothing = fit_detector(BIAS_A, np.zeros(17), np.zeros(17), 1.0, 1.0, 1000.0)
    assert nothing.saturated_efficiency.lower == 0.0
    assert not np.isnan(nothing.saturated_efficiency.value)
    with pytest.raises(UsageError, match="4 bias values"):
        fit_detector([1e-6, 2e-6], [1, 2], [1, 2], 1.0, 1.0, 1000.0)
    with pytest.raises(UsageError, match="must be positive"):
        fit_detector(BIAS_A, np.zeros(17), np.zeros(17), 0.0, 1.0, 1000.0)
