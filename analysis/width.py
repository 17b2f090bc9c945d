"""Width of a peak at a fraction of its height, straight from the histogram: no model, interval from the counts' own noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import savgol_coeffs
from scipy.stats import norm

from .errors import UsageError
from .records import Estimate, FloatArray

#: Widens the interval when counts are few, where the choice of the filter adds noise of its own: calibrated by simulation
#: (tests/analysis/test_width.py), variance times 1 + 200/N.
_FEW_COUNTS = 200


def full_width(counts: ArrayLike, bin_ps: float, fraction: float = 0.5, confidence: float = 0.95) -> Estimate:
    """Full width of the highest peak at ``fraction`` of its height above the background, ps.

    The histogram is smoothed by a local cubic (Savitzky and Golay 1964) over a fifth of the FWHM (more when counts are
    few), and the crossings are interpolated linearly. The background is the mean of the outer eighth of the bins, on the lower
    side. The interval propagates the Poisson noise of every bin through filter, peak height, background and crossings.

    Args:
        counts: int (B,), contiguous bins that hold one peak.
        bin_ps: bin width.
        fraction: 0.5 gives the FWHM, 1/e and 0.1 the widths further down.

    Raises:
        UsageError: fewer than 10 counts, or the level is not crossed on both sides inside the histogram.
    """
    n = np.asarray(counts, float)
    if not 0 < fraction < 1:
        raise UsageError(f"fraction of the peak height must lie between 0 and 1, got {fraction:g}")
    if n.ndim != 1 or len(n) < 8 or not np.all(np.isfinite(n)) or np.any(n < 0):
        raise UsageError(f"a width needs the counts of at least 8 bins, none negative, got shape {n.shape}")
    if n.sum() < 10:
        raise UsageError(f"{n.sum():g} counts are too few for a width: record at least 10")
    length = _filter_length(n)
    width, gradient = _width(n, length, fraction)
    std = math.sqrt(float(np.sum(gradient**2 * n)) * (1 + _FEW_COUNTS / n.sum()))
    stretch = math.exp(float(norm.ppf(0.5 + confidence / 2)) * std / width)
    how = f"smoothed histogram at {fraction:.3g} of the peak, interpolated"
    lower, upper = width / stretch * bin_ps, width * stretch * bin_ps
    return Estimate(width * bin_ps, lower, upper, confidence, std * bin_ps, int(n.sum()), how, "ps")


def peak_region(counts: ArrayLike) -> tuple[int, int]:
    """First bin and number of bins of the shortest stretch that holds half of the counts above the background.

    Raises:
        UsageError: no stretch stands out from the background by 5 standard deviations and 3 counts.
    """
    n = np.asarray(counts, float)
    background = _background(n)[0]
    above = np.concatenate([[0.0], np.cumsum(n - background)])
    length = 1
    while (held := above[length:] - above[:-length]).max() < above[-1] / 2:
        length = max(length + 1, int(1.2 * length))
    if held.max() < max(5 * math.sqrt(background * length), 3):
        raise UsageError(
            f"no peak: {held.max():.1f} counts above a background of {background * length:.1f}; record more"
        )
    return int(np.argmax(held)), length


@dataclass(frozen=True, slots=True)
class _Crossing:
    """A level lies ``share`` of the way from bin ``first`` to the next one; ``rise`` is the step between the two."""

    first: int
    share: float
    rise: float


def _background(n: FloatArray) -> tuple[float, slice]:
    """Mean of the outer eighth, of the side where it is lower: a late tail must not count as background."""
    edge = max(len(n) // 8, 1)
    sides = (slice(0, edge), slice(len(n) - edge, len(n)))
    side = min(sides, key=lambda s: float(n[s].mean()))
    return float(n[side].mean()), side


def _filter_length(n: FloatArray) -> int:
    """Odd filter length: 0.2 FWHM for 1e5 counts and more, growing as N^-1/4 up to 1.2 FWHM for few."""
    _, half = peak_region(n)
    share = float(np.clip(0.2 * (1e5 / n.sum()) ** 0.25, 0.2, 1.2))
    # For a Gaussian the shortest half is 0.57 FWHM long.
    return 2 * int(share * half / 0.57 / 2) + 1


def _width(n: FloatArray, length: int, fraction: float) -> tuple[float, FloatArray]:
    """Width in bins and its derivative by each bin's counts, float64 (B,)."""
    filter_ = savgol_coeffs(length, min(3, length - 1)) if length > 1 else np.ones(1)
    smooth = np.convolve(n, filter_, mode="same")
    background, side = _background(n)
    peak = int(np.argmax(smooth))
    level = background + fraction * (smooth[peak] - background)
    left, right = _crossing(smooth, peak, -1, level), _crossing(smooth, peak, +1, level)
    level_gradient = fraction * _weights(n, filter_, peak)
    level_gradient[side] += (1 - fraction) / (side.stop - side.start)
    gradient = np.zeros_like(n)
    for crossing, sign in ((left, -1), (right, +1)):
        here = (1 - crossing.share) * _weights(n, filter_, crossing.first)
        here += crossing.share * _weights(n, filter_, crossing.first + 1)
        gradient += sign * (level_gradient - here) / crossing.rise
    return right.first + right.share - left.first - left.share, gradient


def _crossing(smooth: FloatArray, peak: int, direction: int, level: float) -> _Crossing:
    """First passage of ``level`` on the way from the peak."""
    outward = smooth[peak:] if direction > 0 else smooth[peak::-1]
    below = np.flatnonzero(outward < level)
    if not len(below):
        raise UsageError("the peak does not fall to the wanted level inside the histogram: take a wider range")
    first = peak + int(below[0]) - 1 if direction > 0 else peak - int(below[0])
    rise = float(smooth[first + 1] - smooth[first])
    return _Crossing(first, (level - float(smooth[first])) / rise, rise)


def _weights(n: FloatArray, filter_: FloatArray, at: int) -> FloatArray:
    """Row of the smoothing matrix: how much each bin counts in the smoothed bin ``at``."""
    row = np.zeros_like(n)
    half = len(filter_) // 2
    lo, hi = max(at - half, 0), min(at + half + 1, len(n))
    row[lo:hi] = filter_[lo - at + half : hi - at + half]
    return row
