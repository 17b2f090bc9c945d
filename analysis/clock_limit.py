"""What the photons allow: Cramér-Rao bounds of offset and skew, and the fewest pairs a search can find.

For N pairs of response g over a span T on a flat background b per ps of lag, one pair carries the information
``J = ∫ g'²/(g + b/N) du``; then ``std(offset at mid-record) = 1/sqrt(N·J)``, ``std(skew) = sqrt(12)/(T·sqrt(N·J))`` and the
offset at the record's start is twice as uncertain as at its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammainc, gammaincinv

from .clock_response import Response
from .records import PS_PER_S


@dataclass(frozen=True, slots=True)
class Bound:
    """Smallest standard errors any unbiased estimate can have, for a steady clock and a known response."""

    mid_ps: float
    start_ps: float
    skew: float


def cramer_rao(response: Response, pairs: float, span_s: float, background_per_ps: float = 0.0) -> Bound:
    """Bounds for ``pairs`` true pairs spread evenly over ``span_s``, with accidental pairs per ps of lag."""
    std = response.std_ps
    grid = np.linspace(-12 * std, 12 * std, 12_001)
    density = response.density(grid)
    slope = np.gradient(density, grid)
    information = float(np.sum(slope**2 / (density + background_per_ps / pairs)) * (grid[1] - grid[0]))
    mid = 1 / sqrt(pairs * information)
    return Bound(mid, 2 * mid, mid * sqrt(12) / (span_s * PS_PER_S))


def fewest_pairs_hz(
    rate_a_hz: float, rate_b_hz: float, span_s: float, std_ps: float, max_offset_s: float, max_ppm: float
) -> float:
    """Pairs a second that an exhaustive search could find with 99 % chance at a false alarm of 1e-3.

    One box of 2.4 response widths holds 0.77 of the pairs; the threshold covers all cells of offset and skew. Counts are
    Poisson, taken as continuous (``P(N >= k) = gammainc(k, mean)``).
    """
    width = 2.4 * std_ps
    cells = 2 * max_offset_s * PS_PER_S / width * max(1.0, 2e-6 * max_ppm * span_s * PS_PER_S / width)
    mean = rate_a_hz * rate_b_hz * width / PS_PER_S * span_s
    odds = 1e-3 / cells
    threshold = brentq(lambda k: float(gammainc(k, mean)) - odds, mean + 1e-6, mean + 40 * sqrt(mean) + 100, xtol=1e-3)
    return (float(gammaincinv(threshold, 0.99)) - mean) / (0.77 * span_s)
