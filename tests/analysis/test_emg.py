"""The exponentially modified Gaussian against scipy's independent implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import exponnorm, norm

from erbia.analysis.emg import emg_cdf, emg_fwhm, emg_pdf

T = np.linspace(-60, 300, 2001)


@pytest.mark.parametrize(("sigma", "tau"), [(10.0, 0.1), (10.0, 3.0), (10.0, 10.0), (2.0, 40.0)])
def test_density_and_distribution(sigma: float, tau: float) -> None:
    reference = exponnorm(tau / sigma, loc=5.0, scale=sigma)
    np.testing.assert_allclose(emg_pdf(T, 5.0, sigma, tau), reference.pdf(T), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(emg_cdf(T, 5.0, sigma, tau), reference.cdf(T), atol=1e-10)


def test_without_a_tail_it_is_a_gaussian_of_the_same_mean() -> None:
    np.testing.assert_allclose(emg_cdf(T, 0.0, 10.0, 0.0), norm.cdf(T, scale=10.0), atol=1e-12)
    np.testing.assert_allclose(emg_pdf(T, 0.0, 10.0, 0.005), norm.pdf(T, loc=0.005, scale=10.0), atol=1e-9)


@pytest.mark.parametrize(("sigma", "tau"), [(1.0, 0.0), (3.0, 1.0), (1.0, 1.0), (1.0, 8.0)])
def test_full_width_at_half_maximum(sigma: float, tau: float) -> None:
    t = np.linspace(-8 * sigma, 8 * (sigma + tau), 400_001)
    density = exponnorm(tau / sigma, scale=sigma).pdf(t) if tau else norm.pdf(t, scale=sigma)
    above = t[density >= density.max() / 2]
    assert emg_fwhm(sigma, tau) == pytest.approx(above[-1] - above[0], rel=1e-4)


def test_limits_of_the_width() -> None:
    assert emg_fwhm(1.0, 0.0) == pytest.approx(2 * math.sqrt(2 * math.log(2)), rel=1e-6)
    assert emg_fwhm(0.0, 1.0) == pytest.approx(math.log(2), rel=1e-9)
