"""A wandering clock, offline: offsets block by block, its noise learned from them, and the smoothed piecewise model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .clock_block import measure_block
from .clock_follow import pairs_near
from .clock_kalman import ClockNoise, ClockState, Smoothed, identify_noise, smooth
from .clock_relock import relock
from .clock_response import Peak, fit_peak
from .clock_verify import Lock, sharpen
from .errors import UsageError
from .records import PS_PER_S, ClockModel, FloatArray, Int64Array

#: Noise assumed until the clock's own is known: a poor quartz, 3e-9 per √s.
WORST_NOISE = ClockNoise(1e3, 1e7)
PAIRS_A_BLOCK = 100
MOST_BLOCKS = 1000
FIRST_PAIRS = 300
FEWEST_TO_LEARN = 8
LOOKS_AFTER = tuple(4**k for k in range(6))
_HALVES = np.array([1.0, 1.0, 0.5])


@dataclass(frozen=True, slots=True, eq=False)
class OffsetSeries:
    """Measured offsets of B against A: A's time int64 (N,) ps, offset and standard error float64 (N,) ps, pairs (N,).

    ``stretch`` int64 (N,) counts up wherever the clock leapt and the peak had to be found again.
    """

    t_ps: Int64Array
    offset_ps: FloatArray
    std_ps: FloatArray
    pairs: FloatArray
    stretch: Int64Array

    def on_grid(self, step_ps: int) -> FloatArray:
        """Phase in seconds on an even grid for ``stability.allan``: float64 (K,), nan where no block was measured."""
        index = np.rint((self.t_ps - self.t_ps[0]) / step_ps).astype(np.int64)
        phase = np.full(int(index[-1]) + 1, np.nan)
        phase[index] = self.offset_ps / PS_PER_S
        return phase


@dataclass(frozen=True, slots=True, eq=False)
class Wander:
    """A wandering clock: the offsets measured, the states smoothed from them, and the correlation peak."""

    series: OffsetSeries
    states: Smoothed
    peak: Peak


def follow_wander(t_a_ps: Int64Array, t_b_ps: Int64Array, lock: Lock) -> Wander:
    """Trace the clock over the whole record from a lock; the response is learned twice, the second time undrifted.

    Both streams int64 (N,) sorted ps.
    """
    lock = sharpen(t_a_ps, t_b_ps, lock, FIRST_PAIRS)
    half, span = 4.0 * lock.width_ps, lock.span_ps
    line = np.array([lock.offset_ps, lock.skew * PS_PER_S, 0.0])
    t_lo, t_hi = lock.t_mid_ps - span // 2, lock.t_mid_ps + span // 2
    peak = fit_peak(pairs_near(t_a_ps, t_b_ps, t_lo, t_hi, lock.t_mid_ps, line, half).residual_ps, half, lock.width_ps)
    rate_error = lock.width_ps / (span / PS_PER_S)
    start = ClockState(line, np.diag([lock.width_ps**2, rate_error**2, 1e4]))
    block = block_length_ps(peak.pairs / (span / PS_PER_S), int(t_a_ps[-1] - t_a_ps[0]))
    for _ in range(2):
        series = trace(t_a_ps, t_b_ps, start, lock.t_mid_ps, peak, block)
        states = smoothed(series)
        peak = _learned(t_a_ps, t_b_ps, series, states, block, peak)
    # The last look at the response moves all offsets alike.
    states = replace(states, mean=states.mean + np.array([peak.mean_ps, 0.0, 0.0]))
    return Wander(replace(series, offset_ps=series.offset_ps + peak.mean_ps), states, peak)


def _learned(
    t_a: Int64Array, t_b: Int64Array, series: OffsetSeries, states: Smoothed, block_ps: int, peak: Peak
) -> Peak:
    """The response from the residuals of all blocks about the smoothed clock."""
    half = 8.0 * peak.response.std_ps
    residual = [
        pairs_near(t_a, t_b, int(t) - block_ps // 2, int(t) + block_ps // 2 - 1, int(t), m * _HALVES, half).residual_ps
        for t, m in zip(series.t_ps, states.mean, strict=True)
    ]
    return fit_peak(np.concatenate(residual), half, 2.5 * peak.response.std_ps)


def block_length_ps(pairs_hz: float, record_ps: int) -> int:
    """Blocks of about ``PAIRS_A_BLOCK`` pairs, at most ``MOST_BLOCKS`` of them and at least four."""
    wanted = round(PAIRS_A_BLOCK / max(pairs_hz, 1e-3) * PS_PER_S)
    return int(np.clip(wanted, record_ps // MOST_BLOCKS + 1, record_ps // 4 + 1))


def trace(
    t_a_ps: Int64Array, t_b_ps: Int64Array, start: ClockState, t_start_ps: int, peak: Peak, block_ps: int
) -> OffsetSeries:
    """Offset of every block of ``block_ps`` in which the peak shows, outward from a known state at ``t_start_ps``.

    Both streams int64 (N,) sorted ps. Blocks without a peak are left out; the window grows across them.
    """
    rows = [
        *_one_way(t_a_ps, t_b_ps, start, t_start_ps, peak, -block_ps),
        *_one_way(t_a_ps, t_b_ps, start, t_start_ps, peak, block_ps),
    ]
    rows.sort()
    if not rows:
        raise UsageError(f"no block of {block_ps / PS_PER_S:g} s shows the correlation peak; use longer blocks")
    t, offset, std, pairs, stretch = zip(*rows, strict=True)
    return OffsetSeries(
        np.array(t, np.int64), np.array(offset), np.array(std), np.array(pairs), np.array(stretch, np.int64)
    )


def _one_way(
    t_a: Int64Array, t_b: Int64Array, state: ClockState, t_ps: int, peak: Peak, step_ps: int
) -> list[tuple[int, float, float, float, int]]:
    rows = []
    edge, at, lost, stretch = t_ps, t_ps, 0, 0
    while t_a[0] <= edge <= t_a[-1]:
        lo, hi = min(edge, edge + step_ps), max(edge, edge + step_ps)
        middle = (lo + hi) // 2
        state, at = state.predicted((middle - at) / PS_PER_S, WORST_NOISE), middle
        fit = measure_block(t_a, t_b, lo, hi - 1, state, peak)
        if fit is None and _both_click(t_a, t_b, lo, hi, round(float(state.mean[0]))):
            lost += 1
            # Look around after 1, 4, 16 … lost blocks: the pairs may be off for long.
            shift = relock(t_a, t_b, lo, hi - 1, state) if lost in LOOKS_AFTER else None
            if shift is not None:
                stretch += 1 if step_ps > 0 else -1
                state = state.displaced(shift, peak.response.std_ps)
                fit = measure_block(t_a, t_b, lo, hi - 1, state, peak)
        if fit is not None:
            lost = 0
            offset = float(state.mean[0]) + fit.shift_ps
            rows.append((middle, offset, fit.std_ps, fit.pairs, stretch))
            state = state.updated(offset, fit.std_ps**2)
        edge += step_ps
    return rows


def _both_click(t_a: Int64Array, t_b: Int64Array, lo: int, hi: int, offset_ps: int) -> bool:
    clicks_a = np.searchsorted(t_a, hi) - np.searchsorted(t_a, lo)
    clicks_b = np.searchsorted(t_b, hi + offset_ps) - np.searchsorted(t_b, lo + offset_ps)
    return bool(min(clicks_a, clicks_b) > PAIRS_A_BLOCK // 4)


def smoothed(series: OffsetSeries, noise: ClockNoise | None = None) -> Smoothed:
    """Best states at the blocks' times (seconds from the first block), each stretch between leaps on its own.

    The noise is learned from the longest stretch unless given.
    """
    t_s = (series.t_ps - series.t_ps[0]) / PS_PER_S
    parts = [np.flatnonzero(series.stretch == k) for k in np.unique(series.stretch)]
    if noise is None:
        longest = max(parts, key=len)
        noise = WORST_NOISE
        if len(longest) >= FEWEST_TO_LEARN:
            noise = identify_noise(t_s[longest], series.offset_ps[longest], series.std_ps[longest])
    done = [smooth(t_s[k], series.offset_ps[k], series.std_ps[k], noise) for k in parts]
    return Smoothed(
        t_s,
        np.concatenate([s.mean for s in done]),
        np.concatenate([s.covariance for s in done]),
        noise,
        sum(s.log_likelihood for s in done),
    )


def piecewise(series: OffsetSeries, states: Smoothed) -> ClockModel:
    """The smoothed clock as a ClockModel: one piece a block, each valid to half way to the next."""
    scale = np.array([1.0, 1 / PS_PER_S, 1 / PS_PER_S])
    pieces = [
        ClockModel(float(m[0]), float(m[1] * scale[1]), float(m[2] * scale[2]), int(t), p * np.outer(scale, scale))
        for t, m, p in zip(series.t_ps, states.mean, states.covariance, strict=True)
    ]
    starts = (series.t_ps[:-1] + series.t_ps[1:]) // 2
    first = pieces[0]
    later = tuple((int(t), piece) for t, piece in zip(starts, pieces[1:], strict=True))
    return ClockModel(first.offset_ps, first.skew, first.drift_per_s, first.t_ref_ps, first.covariance, later)
