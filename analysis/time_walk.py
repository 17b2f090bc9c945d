"""Time walk: a detector that has not recovered clicks late, by an amount the gap to its previous click tells.

The delay against the gap is measured from the data themselves and taken out click by click, which sharpens the response at
high count rates (Mueller, APL 122, 044001, 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import UsageError
from .records import FloatArray, Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class TimeWalk:
    """Delay of a click against the gap since the click before, relative to clicks after the longest gaps.

    Attributes:
        gap_ps: float64 (K,), rising.
        shift_ps: float64 (K,), extra delay; 0 at the longest gap.
    """

    gap_ps: FloatArray
    shift_ps: FloatArray

    def at(self, gap_ps: Int64Array) -> FloatArray:
        """Extra delay (N,) ps for the given gaps (N,) ps; constant beyond the calibrated range."""
        shift: FloatArray = np.interp(np.log(np.maximum(gap_ps, 1)), np.log(self.gap_ps), self.shift_ps)
        return shift

    def correct(self, t_ps: Int64Array) -> Int64Array:
        """Clicks of one detector (N,) ps, sorted, with their walk taken out, rounded to whole ps.

        The first click is left as it is: nothing is known of the gap before it.
        """
        if len(t_ps) < 2:
            return t_ps.copy()
        shift = np.concatenate([[0.0], self.at(np.diff(t_ps))])
        corrected: Int64Array = t_ps - np.rint(shift).astype(np.int64)
        return corrected


def calibrate_time_walk(delay_ps: Int64Array, gap_ps: Int64Array, bins: int = 40) -> TimeWalk:
    """Median delay in ``bins`` groups of equal size by gap, made monotone (a longer gap never means a later click).

    Args:
        delay_ps: int64 (N,), delay of each click after its light pulse.
        gap_ps: int64 (N,), time since the same detector's previous click.

    Raises:
        UsageError: unequal lengths, gaps that are not positive, or fewer than 20 clicks a group.
    """
    if delay_ps.shape != gap_ps.shape or delay_ps.ndim != 1 or np.any(gap_ps <= 0):
        raise UsageError(f"each click needs its delay and a positive gap, got {delay_ps.shape} and {gap_ps.shape}")
    if len(gap_ps) < 20 * bins:
        raise UsageError(f"{len(gap_ps)} clicks are too few for {bins} groups: record at least {20 * bins}")
    groups = np.array_split(np.argsort(gap_ps, kind="stable"), bins)
    gap = np.array([float(np.exp(np.mean(np.log(gap_ps[g])))) for g in groups])
    delay = np.array([float(np.median(delay_ps[g])) for g in groups])
    monotone = _non_increasing(delay)
    keep = np.concatenate([[True], np.diff(gap) > 0])
    return TimeWalk(gap[keep], (monotone - monotone[-1])[keep])


def _non_increasing(values: FloatArray) -> FloatArray:
    """Least-squares non-increasing sequence (pool adjacent violators; all groups weigh the same)."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] < mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    return np.concatenate([np.full(size, mean) for mean, size in blocks])
