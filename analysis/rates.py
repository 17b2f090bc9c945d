"""Count rates with live time, and what the intervals between clicks tell of a detector: dead time, after-pulsing."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from .errors import UsageError
from .poisson import poisson_rate
from .records import PS_PER_S, Estimate, Int64Array, TagBlock, TimeTags
from .streaming import LiveTime
from .times import as_times_ps, bins_in, span_ps


def count_rates(tags: TimeTags, *, live_time_ps: int | None = None, confidence: float = 0.95) -> dict[int, Estimate]:
    """Rate of every channel that fired, in Hz, with its exact Poisson interval (Garwood 1936).

    Args:
        tags: clicks of one tagger.
        live_time_ps: time the tagger was live; by default the span of ``tags``.
        confidence: coverage of the interval.

    Raises:
        UsageError: unsorted tags, or no live time.
    """
    as_times_ps(tags.t_ps, "tags.t_ps")
    counts = np.zeros(256, np.int64)
    _count_channels(tags, counts)
    return _rates(counts, span_ps(tags.t_ps) if live_time_ps is None else live_time_ps, confidence)


class RateStream:
    """Incremental ``count_rates`` over the blocks of one tagger; blocks with overflow do not count."""

    def __init__(self) -> None:
        self.live_time = LiveTime()
        self._counts = np.zeros(256, np.int64)

    def feed(self, block: TagBlock) -> None:
        """Adds a block. Raises UsageError when it does not follow the last one."""
        _count_channels(self.live_time.feed(block), self._counts)

    @property
    def counts(self) -> Int64Array:
        """Live clicks of each channel, int64 (256,)."""
        return self._counts.copy()

    def result(self, confidence: float = 0.95) -> dict[int, Estimate]:
        """Rate of every channel that fired so far, in Hz."""
        return _rates(self.counts, self.live_time.live_time_ps, confidence)


@dataclass(frozen=True, slots=True, eq=False)
class IntervalHistogram:
    """Intervals between successive clicks of one channel.

    Attributes:
        counts: int64 (B,), bin k holds intervals in ``[k·bin, (k+1)·bin)``.
        longer: intervals beyond the last bin.
        bin_ps: bin width in ps.
    """

    counts: Int64Array
    longer: int
    bin_ps: int


def interval_histogram(t_ps: ArrayLike, *, bin_ps: int, range_ps: int) -> IntervalHistogram:
    """Histogram of the intervals between successive clicks, up to ``range_ps`` (a multiple of ``bin_ps``).

    Raises:
        UsageError: float or unsorted times, a bin or range that is not positive, a range that is no multiple of the bin.
    """
    counts = np.zeros(bins_in(bin_ps, range_ps) + 1, np.int64)
    _count_intervals(as_times_ps(t_ps, "t_ps"), bin_ps, counts)
    return IntervalHistogram(counts[:-1], int(counts[-1]), bin_ps)


class IntervalStream:
    """Incremental ``interval_histogram`` of one channel; an interval across overflow or a gap does not count."""

    def __init__(self, channel: int, *, bin_ps: int, range_ps: int) -> None:
        self.channel, self.bin_ps = channel, bin_ps
        self.live_time = LiveTime()
        self._counts = np.zeros(bins_in(bin_ps, range_ps) + 1, np.int64)
        self._last = np.empty(0, np.int64)

    def feed(self, block: TagBlock) -> None:
        """Adds a block. Raises UsageError when it does not follow the last one."""
        if block.overflow or not self.live_time.follows(block):
            self._last = self._last[:0]
        clicks = np.concatenate([self._last, self.live_time.feed(block).on(self.channel)])
        _count_intervals(clicks, self.bin_ps, self._counts)
        self._last = clicks[-1:].copy()

    def result(self) -> IntervalHistogram:
        """The histogram of everything fed so far."""
        return IntervalHistogram(self._counts[:-1].copy(), int(self._counts[-1]), self.bin_ps)


def estimate_dead_time(intervals: IntervalHistogram, *, confidence: float = 0.95) -> Estimate:
    """Dead time in ps: the missing area of the click hazard, relative to its plateau, before it first reaches it.

    The hazard (clicks per time still waiting) of a detector under steady light is 0 while it is dead and constant after;
    for a soft recovery the area gives the dead time a hard one would need. The plateau is that of the second half of the range.

    Raises:
        UsageError: fewer than 100 intervals in the second half of the range: widen it or take more data.
    """
    cumulative, plateau = _hazard(intervals)
    relative = np.diff(cumulative) / (plateau * intervals.bin_ps)
    recovered = int(np.argmax(relative >= 0.9)) + 1
    missing_ps = (
        float(np.sum(1 - np.append(relative[: recovered - 1], min(relative[recovered - 1], 1.0)))) * intervals.bin_ps
    )
    n_rise = int(intervals.counts[:recovered].sum())
    std = np.sqrt(max(n_rise, 1)) / (_total(intervals) * plateau)
    return _normal(missing_ps, std, confidence, _total(intervals), "missing area of the interval hazard", "ps")


def estimate_after_pulsing(intervals: IntervalHistogram, *, confidence: float = 0.95) -> Estimate:
    """Chance that a click is followed by an after-pulse: the hazard above its plateau in the first half of the range.

    The range must be at least twice as long as the after-pulses last.

    Raises:
        UsageError: fewer than 100 intervals in the second half of the range: widen it or take more data.
    """
    cumulative, plateau = _hazard(intervals)
    half = len(intervals.counts) // 2
    exposed_ps = half * intervals.bin_ps - estimate_dead_time(intervals).value
    excess = cumulative[half] - plateau * exposed_ps
    n_first, n_second = int(intervals.counts[:half].sum()), int(intervals.counts[half:].sum())
    std = np.hypot(np.sqrt(n_first) / _total(intervals), plateau * exposed_ps / np.sqrt(n_second))
    return _normal(float(-np.expm1(-excess)), std, confidence, n_first, "excess of the interval hazard", "")


def _hazard(intervals: IntervalHistogram) -> tuple[np.ndarray, float]:
    """Cumulative hazard at the bin edges, float64 (B+1,), and the plateau of the hazard in the second half, per ps."""
    half = len(intervals.counts) // 2
    if intervals.counts[half:].sum() < 100 or intervals.longer == 0:
        raise UsageError(
            "too few intervals in the second half of the range for a plateau: widen range_ps or take more data"
        )
    waiting = _total(intervals) - np.concatenate([[0], np.cumsum(intervals.counts)])
    cumulative = -np.log(waiting / waiting[0])
    plateau = (cumulative[-1] - cumulative[half]) / ((len(intervals.counts) - half) * intervals.bin_ps)
    return cumulative, float(plateau)


def _total(intervals: IntervalHistogram) -> int:
    return int(intervals.counts.sum()) + intervals.longer


def _normal(value: float, std: float, confidence: float, n: int, method: str, unit: str) -> Estimate:
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * std
    return Estimate(value, value - half, value + half, confidence, float(std), n, method, unit)


def _rates(counts: Int64Array, live_time_ps: int, confidence: float) -> dict[int, Estimate]:
    if counts.any() and live_time_ps <= 0:
        raise UsageError(f"a rate needs a live time, got {live_time_ps} ps; pass live_time_ps")
    live_s = live_time_ps / PS_PER_S
    return {int(c): poisson_rate(int(counts[c]), live_s, confidence) for c in np.flatnonzero(counts)}


def _count_channels(tags: TimeTags, counts: Int64Array) -> None:
    from .kernels.counting import accumulate_channels

    accumulate_channels(tags.channel, counts)


def _count_intervals(t_ps: Int64Array, bin_ps: int, counts: Int64Array) -> None:
    from .kernels.counting import accumulate_intervals

    accumulate_intervals(t_ps, bin_ps, counts)
