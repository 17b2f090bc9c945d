"""Rates from counts, with intervals that are right for few counts."""

from __future__ import annotations

import math

from .errors import UsageError
from .records import Estimate


def poisson_rate(n: int, live_time_s: float, confidence: float = 0.95) -> Estimate:
    """Rate of a Poisson process from ``n`` events in ``live_time_s``, in Hz, with the exact central interval.

    The bounds are quantiles of the chi-square distribution (Garwood, Biometrika 28, 437, 1936); ``std`` is √n / T.

    Raises:
        UsageError: a negative count or no live time.
    """
    from scipy.stats import chi2  # slow to import

    if n < 0 or not live_time_s > 0:
        raise UsageError(f"a rate needs n >= 0 and live time > 0, got n = {n}, live_time_s = {live_time_s}")
    tail = (1 - confidence) / 2
    lower = 0.5 * float(chi2.ppf(tail, 2 * n)) if n else 0.0
    upper = 0.5 * float(chi2.ppf(1 - tail, 2 * n + 2))
    return Estimate(
        n / live_time_s,
        lower / live_time_s,
        upper / live_time_s,
        confidence,
        math.sqrt(n) / live_time_s,
        n,
        "Garwood",
        "Hz",
    )
