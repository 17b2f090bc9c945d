"""Confidence intervals for chances, for weighted sums of them, and for what is computed from both.

A fidelity from three correlators, a CHSH value and a correlator are all ``constant + sum w p`` of independent binomial
chances. Their interval holds every value that an exact two-sided test does not reject. The test orders outcomes by
likelihood ratio (Feldman and Cousins, PRD 57, 3873, 1998), which gives the shortest of the exact intervals near the edge
of the range, and takes the chances that the value leaves open at their maximum-likelihood value under it. Sums are exact
while the outcomes that matter are few and use a saddlepoint beyond (Lugannani and Rice 1980, Daniels 1987).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from .errors import UsageError
from .kernels.binomial_sum import limit
from .records import Estimate, FloatArray


def linear_interval(
    successes: ArrayLike, trials: ArrayLike, weights: ArrayLike, constant: float = 0.0, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval for ``constant + sum weights · p`` of independent binomial chances ``p``.

    Args:
        successes, trials: counts, shape (K,); every chance needs at least one trial.
        weights: real numbers of any sign, shape (K,).

    Returns:
        lower, upper. They contain ``constant + sum weights · successes / trials`` and stay within its possible range.

    Raises:
        UsageError: no trials somewhere, or successes outside 0..trials.
    """
    x, n, w = np.broadcast_arrays(*(np.atleast_1d(np.asarray(a, np.float64)) for a in (successes, trials, weights)))
    if np.any(n < 1) or np.any(x < 0) or np.any(x > n):
        raise UsageError(f"successes must lie in 0..trials and trials be >= 1, got {x.tolist()} of {n.tolist()}")
    # A negative weight counts the failures instead; a zero weight says nothing.
    constant += float(w[w < 0].sum())
    x, n, w = (a[w != 0].copy() for a in (np.where(w < 0, n - x, x), n, np.abs(w)))
    if not len(w):
        return constant, constant
    step = float(w[0] / n[0]) if np.ptp(w / n) <= 1e-12 * w[0] / n[0] else 0.0
    lower, upper = (float(limit(side, 1 - confidence, x, n, w, step)) for side in (-1.0, 1.0))
    return constant + lower, constant + upper


def correlator_estimate(same: int, trials: int, confidence: float = 0.95) -> Estimate:
    """``E = (N_same - N_different) / N`` with its interval and ``std = sqrt((1 - E^2) / N)``."""
    lower, upper = linear_interval(same, trials, 2.0, -1.0, confidence)
    value = 2 * same / trials - 1
    std = float(np.sqrt((1 - value**2) / trials))
    return Estimate(value, lower, upper, confidence, std, trials, "correlator, likelihood-ratio ordered exact test")


def chance_estimate(successes: int, trials: int, confidence: float = 0.95) -> Estimate:
    """A binomial chance with its interval and ``std = sqrt(p (1 - p) / n)``."""
    lower, upper = linear_interval(successes, trials, 1.0, 0.0, confidence)
    p = successes / trials
    return Estimate(p, lower, upper, confidence, float(np.sqrt(p * (1 - p) / trials)), trials, "binomial, exact test")


def poisson_interval(counts: ArrayLike, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Exact central interval for Poisson means (Garwood, Biometrika 28, 437, 1936): two arrays shaped like ``counts``."""
    k = np.asarray(counts, np.float64)
    tail = (1 - confidence) / 2
    lower = np.where(k > 0, chi2.ppf(tail, 2 * np.maximum(k, 1)) / 2, 0.0)
    return lower, chi2.isf(tail, 2 * k + 2) / 2


def combine_limits(value: float, limits: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Interval of an estimate several independent things are uncertain about: distances add in quadrature, side by side.

    Each entry of ``limits`` is what the estimate becomes at both ends of one thing's own interval, in any order
    (Zou and Donner, Stat. Med. 27, 1693, 2008).
    """
    ends = np.array([(min(pair), max(pair)) for pair in limits], np.float64).reshape(-1, 2)
    down, up = np.maximum(value - ends[:, 0], 0.0), np.maximum(ends[:, 1] - value, 0.0)
    return value - float(np.sqrt(down @ down)), value + float(np.sqrt(up @ up))
