"""Confidence intervals for chances and for weighted sums of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from .records import Estimate


def linear_interval(
    successes: ArrayLike, trials: ArrayLike, weights: ArrayLike, constant: float = 0.0, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval for ``constant + sum weights · p`` of independent binomial chances ``p``."""
    x, n, w = (np.asarray(a, float) for a in (successes, trials, weights))
    z = norm.ppf(0.5 + confidence / 2)
    p = x / n
    tilde = (x + z * z / 2) / (n + z * z)
    half = z * np.sqrt(tilde * (1 - tilde) / (n + z * z))
    lo, hi = tilde - half, tilde + half
    down, up = np.where(w > 0, p - lo, hi - p), np.where(w > 0, hi - p, p - lo)
    centre = constant + float(w @ p)
    return centre - float(np.hypot.reduce(w * down)), centre + float(np.hypot.reduce(w * up))


def correlator_estimate(same: int, trials: int, confidence: float = 0.95) -> Estimate:
    """``E = (N_same - N_different) / N`` with its interval and ``std = sqrt((1 - E^2) / N)``."""
    lower, upper = linear_interval([same], [trials], [2.0], -1.0, confidence)
    value = 2 * same / trials - 1
    return Estimate(value, lower, upper, confidence, float(np.sqrt((1 - value**2) / trials)), trials, "correlator")
