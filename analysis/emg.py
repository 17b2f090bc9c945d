"""The exponentially modified Gaussian: a Gaussian of width sigma followed by an exponential tail tau."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erfcx, log_ndtr, ndtr

from .records import FloatArray

#: Below this tail the Gaussian is indistinguishable from the full expression at double precision.
_LEAST_RATIO = 1e-3


def emg_cdf(t: FloatArray, mu: float, sigma: float, tau: float) -> FloatArray:
    """Probability of a delay up to ``t`` (N,), all in one unit: ``Phi(z) - exp(s²/2 - s z) Phi(z - s)``, s = sigma/tau."""
    z = (t - mu) / sigma
    if tau < _LEAST_RATIO * sigma:
        gaussian: FloatArray = ndtr(z - tau / sigma)
        return gaussian
    s = sigma / tau
    cdf: FloatArray = np.maximum(ndtr(z) - np.exp(s * s / 2 - s * z + log_ndtr(z - s)), 0.0)
    return cdf


def emg_pdf(t: FloatArray, mu: float, sigma: float, tau: float) -> FloatArray:
    """Density (N,) at ``t`` (N,), per unit of ``t``: ``(1/2 tau) exp[s²/2 - s z] erfc[(s - z)/sqrt 2]``."""
    z = (t - mu) / sigma
    if tau < _LEAST_RATIO * sigma:
        gaussian: FloatArray = np.exp(-((z - tau / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
        return gaussian
    x = (sigma / tau - z) / np.sqrt(2)
    # erfcx keeps the product finite on the rising side; on the falling side the exponent itself is small.
    rising = np.exp(-z * z / 2) * erfcx(np.maximum(x, 0.0))
    falling = (
        np.exp((sigma / tau) ** 2 / 2 - sigma / tau * np.maximum(z, sigma / tau))
        * 2
        * ndtr(-np.sqrt(2) * np.minimum(x, 0))
    )
    density: FloatArray = np.where(x >= 0, rising, falling) / (2 * tau)
    return density


def emg_fwhm(sigma: float, tau: float) -> float:
    """Full width at half maximum, in the unit of ``sigma`` and ``tau`` (both >= 0, not both 0); relative error < 1e-5."""
    return math.hypot(sigma, tau) * float(_width_table()(math.atan2(tau, sigma)))


@lru_cache(maxsize=1)
def _width_table() -> CubicSpline:
    """FWHM of an EMG of unit rms against ``atan(tau/sigma)``, from Gaussian to pure exponential."""
    angle = np.concatenate([np.linspace(0, 1.4, 50), np.linspace(1.41, np.pi / 2 - 1e-3, 30), [np.pi / 2]])
    widths = [_fwhm(math.cos(phi), math.sin(phi)) for phi in angle[:-1]]
    return CubicSpline(angle, [*widths, math.log(2)])


def _fwhm(sigma: float, tau: float) -> float:
    def density(t: float) -> float:
        return float(emg_pdf(np.array([t]), 0.0, sigma, tau)[0])

    peak = minimize_scalar(
        lambda t: -density(t), bounds=(-sigma, 6 * sigma), method="bounded", options={"xatol": 1e-9 * sigma}
    ).x
    half = density(peak) / 2
    early = brentq(lambda t: density(t) - half, peak - 6 * sigma, peak)
    late = brentq(lambda t: density(t) - half, peak, peak + 6 * (sigma + tau))
    return float(late - early)
