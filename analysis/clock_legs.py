"""Offset and delay from legs sent in turn from either end, by clocks that wander between them.

The clocks' offset is a line plus a random walk (white frequency noise); each leg measures its mean over the leg, plus or minus the
delay. Its strength is not known: every strength is weighed by how well it explains the legs (restricted likelihood, Patterson and
Thompson, Biometrika 58, 545, 1971), and what it leaves unsure is in the errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from .errors import UsageError
from .records import PS_PER_S, Estimate, FloatArray

_STRENGTHS = 41
_FEWEST = 4


@dataclass(frozen=True, slots=True)
class LegsFit:
    """Offset in the last leg (ps), rate of the clocks against each other, delay of the path (ps); ``residuals_ps`` of the line."""

    offset_ps: Estimate
    skew: Estimate
    delay_ps: Estimate
    residuals_ps: FloatArray


@dataclass(frozen=True, slots=True)
class _Given:
    """What a strength of the wander makes of the legs: offset, skew, delay with their variances, and its log likelihood."""

    values: FloatArray
    variances: FloatArray
    log_likelihood: float


def fit_legs(
    t_s: FloatArray,
    leg_s: float,
    sign: FloatArray,
    seen_ps: FloatArray,
    std_ps: FloatArray,
    n: int,
    confidence: float = 0.95,
) -> LegsFit:
    """Fits legs around the times ``t_s`` (float64 (K,), rising), each ``leg_s`` long; ``sign`` is +1 from A's end, -1 from B's.

    ``seen_ps`` is the mean offset seen in each leg with its statistical error ``std_ps``; ``n`` pairs are behind them.

    Raises:
        UsageError: fewer than four legs, or all from one end.
    """
    if len(t_s) < _FEWEST or abs(float(np.sum(sign))) == len(sign):
        raise UsageError(f"{len(t_s)} legs; needed are {_FEWEST}, from both ends")
    since_s = t_s - t_s[-1]
    design = np.column_stack([np.ones_like(since_s), since_s, sign])
    walk = _walk_covariance(t_s - t_s[0] + leg_s / 2, leg_s)
    span_s = float(t_s[-1] - t_s[0])
    residuals = _residuals(design, seen_ps, std_ps)
    least, most = (
        (float(np.min(std_ps)) / 10) ** 2 / span_s,
        (10 * float(np.max(np.abs([*residuals, *std_ps])))) ** 2 / leg_s,
    )
    strengths = np.geomspace(least, most, _STRENGTHS)
    given = [_fit_given(design, q * walk, seen_ps, np.diag(std_ps**2)) for q in strengths]
    likelihood = np.array([g.log_likelihood for g in given]) + np.log(strengths) / 2  # flat in the walk's amplitude
    weight = np.exp(likelihood - likelihood.max())
    weight /= weight.sum()
    scale = np.array([1.0, 1 / PS_PER_S, 1.0])
    values = np.array([g.values for g in given]) * scale
    stds = np.sqrt([g.variances for g in given]) * scale
    offset, skew, delay = (
        _mixture(values[:, k], stds[:, k], weight, n, confidence, unit) for k, unit in enumerate(("ps", "", "ps"))
    )
    return LegsFit(offset, skew, delay, residuals)


def _walk_covariance(t_s: FloatArray, leg_s: float) -> FloatArray:
    """Of the means over the legs of a random walk that is 0 at time 0 and gains variance 1 a second."""
    covariance = np.minimum.outer(t_s, t_s)
    np.fill_diagonal(covariance, t_s - leg_s / 6)
    return covariance


def _residuals(design: FloatArray, seen_ps: FloatArray, std_ps: FloatArray) -> FloatArray:
    fitted, *_ = np.linalg.lstsq(design / std_ps[:, None], seen_ps / std_ps, rcond=None)
    left: FloatArray = seen_ps - design @ fitted
    return left


def _fit_given(design: FloatArray, walk: FloatArray, seen_ps: FloatArray, noise: FloatArray) -> _Given:
    """Generalised least squares, and the walk's best prediction in the last leg added to the offset."""
    covariance = walk + noise
    inverse = np.linalg.inv(covariance)
    of_fit = np.linalg.inv(design.T @ inverse @ design)
    fitted = of_fit @ (design.T @ inverse @ seen_ps)
    left = seen_ps - design @ fitted
    towards = walk[-1] @ inverse
    offset = fitted[0] + towards @ left
    lacking = np.array([1.0, 0.0, 0.0]) - design.T @ towards
    variance = walk[-1, -1] - towards @ walk[-1] + lacking @ of_fit @ lacking
    _, log_covariance = np.linalg.slogdet(covariance)
    _, log_fit = np.linalg.slogdet(of_fit)
    log_likelihood = -0.5 * (log_covariance - log_fit + left @ inverse @ left)
    return _Given(np.array([offset, *fitted[1:]]), np.array([variance, *np.diag(of_fit)[1:]]), float(log_likelihood))


def _mixture(value: FloatArray, std: FloatArray, weight: FloatArray, n: int, confidence: float, unit: str) -> Estimate:
    """Mean, standard deviation and central interval of normal distributions mixed with these weights."""
    mean = float(weight @ value)
    spread = float(np.sqrt(weight @ (std**2 + (value - mean) ** 2)))
    reach = 50 * float(std.max()) + float(np.ptp(value))

    def quantile(p: float) -> float:
        return float(
            brentq(
                lambda x: float(weight @ ndtr((x - value) / std)) - p, mean - reach, mean + reach, xtol=1e-9 * spread
            )
        )

    lower, upper = quantile((1 - confidence) / 2), quantile((1 + confidence) / 2)
    return Estimate(mean, lower, upper, confidence, spread, n, "both directions, a line and a random walk", unit)
