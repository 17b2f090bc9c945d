"""How sure a measured Allan-type deviation is: kind of noise from the data, degrees of freedom, chi-squared interval.

Noise: lag-1 autocorrelation of the decimated phase (Riley and Greenhall, 18th EFTF, 2004). Degrees of freedom: basic sum
of Greenhall and Riley, "Uncertainty of stability variances based on finite differences", 35th PTTI (2003).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from .records import FloatArray

#: Fewest decimated samples from which a noise is identified; longer averaging times keep the last one found.
ENOUGH_SAMPLES = 30
#: Strides a averaging time counted in the basic sum; more change nothing in the second digit.
MOST_STRIDES = 4096
LARGE_FACTOR = 1000


def noise_exponents(x: FloatArray, factors: np.ndarray) -> np.ndarray:
    """Power-law exponent alpha (+2 white phase … -2 random-walk frequency) at each averaging factor: int64 (K,)."""
    out = np.empty(len(factors), np.int64)
    last = 2
    for k, m in enumerate(factors):
        z = x[:: int(m)]
        if np.count_nonzero(~np.isnan(z)) >= ENOUGH_SAMPLES:
            last = _exponent(z)
        out[k] = last
    return out


def _exponent(z: FloatArray) -> int:
    t = np.arange(len(z), dtype=np.float64)
    good = ~np.isnan(z)
    z = z - np.polyval(np.polyfit(t[good], z[good], 2), t)
    for differences in range(3):
        z = z - np.nanmean(z)
        r1 = np.nansum(z[1:] * z[:-1]) / np.nansum(z * z)
        delta = r1 / (1 + r1)
        if delta < 0.25 or differences == 2:
            return int(np.clip(2 - 2 * differences - round(2 * delta), -4, 2))
        z = np.diff(z)
    raise AssertionError("unreachable")


def degrees_of_freedom(alpha: int, order: int, m: int, n: int, *, averaged: bool) -> float:
    """Equivalent degrees of freedom of an overlapping variance.

    ``order`` 2 for Allan, 3 for Hadamard; ``m`` averaging factor; ``n`` phase samples; ``averaged`` for the modified
    kind, whose terms are means over ``m`` samples. nan where the record is too short.
    """
    filter_factor = 1 if averaged else m
    stride = min(m, MOST_STRIDES)
    length = m // filter_factor + m * order
    if n < length:
        return float("nan")
    terms = 1 + stride * (n - length) // m
    reach = min(terms, (order + 1) * stride)
    sz = _sz(np.arange(reach + 1) / stride, float(filter_factor), alpha, order)
    inner = np.sum((1 - np.arange(1, reach) / terms) * sz[1:reach] ** 2)
    total = sz[0] ** 2 + 2 * inner + (1 - reach / terms) * sz[reach] ** 2
    return float(terms * sz[0] ** 2 / total)


def _sw(t: FloatArray, alpha: int) -> FloatArray:
    """Generalised autocovariance of phase noise of exponent ``alpha``, up to a factor."""
    a = np.abs(t)
    power = 3 - alpha
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.where(a > 0, np.log(a), 0.0)
    sign = {2: -1, 1: 1, 0: 1, -1: -1, -2: -1, -3: 1, -4: 1}[alpha]
    out: FloatArray = sign * (a**power if power % 2 else a**power * log)
    return out


def _sx(t: FloatArray, factor: float, alpha: int) -> FloatArray:
    if factor > LARGE_FACTOR and alpha <= 0:
        return _sw(t, alpha + 2)
    return factor**2 * (2 * _sw(t, alpha) - _sw(t - 1 / factor, alpha) - _sw(t + 1 / factor, alpha))


def _sz(t: FloatArray, factor: float, alpha: int, order: int) -> FloatArray:
    weights = {2: (6, -4, 1), 3: (20, -15, 6, -1)}[order]
    out = weights[0] * _sx(t, factor, alpha)
    for k, weight in enumerate(weights[1:], 1):
        out = out + weight * (_sx(t - k, factor, alpha) + _sx(t + k, factor, alpha))
    return out


def interval(deviation: FloatArray, freedom: FloatArray, confidence: float) -> tuple[FloatArray, FloatArray]:
    """Two-sided chi-squared interval of deviations float64 (K,) with ``freedom`` degrees of freedom float64 (K,)."""
    tail = (1 - confidence) / 2
    lower: FloatArray = deviation * np.sqrt(freedom / chi2.ppf(1 - tail, freedom))
    upper: FloatArray = deviation * np.sqrt(freedom / chi2.ppf(tail, freedom))
    return lower, upper
