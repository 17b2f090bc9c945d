"""Rates from counts, with intervals that are right for few counts."""

from __future__ import annotations

import math

from .errors import UsageError
from .records import Estimate


def poisson_rate(n: int, live_time_s: float, confidence: float = 0.95) -> Estimate:
    """Rate of a Poisson process from ``n`` events in ``live_time_s``, in Hz, with the exact central interval.

    ``std`` is √n / T; the interval is Garwood's (``intervals.poisson_interval``).

    Raises:
        UsageError: a negative count or no live time.
    """
    from .intervals import poisson_interval  # slow to import

    if n < 0 or not live_time_s > 0:
        raise UsageError(f"a rate needs n >= 0 and live time > 0, got n = {n}, live_time_s = {live_time_s}")
    lower, upper = (float(bound) for bound in poisson_interval(n, confidence))
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
