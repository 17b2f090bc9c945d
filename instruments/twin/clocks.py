"""Free-running clocks: what each tagger believes the time to be."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.random import Generator

from ...analysis.records import PS_PER_S, FloatArray, Int64Array
from .config import ClockConfig

_KNOT_PS = PS_PER_S // 100
_BATCH = 1000
_MOST_BATCHES = 100
#: Every knot is kept for 200 s, ten a second for ever: the truth is told from them.
_RECENT = 20_000
_KEPT_PS = PS_PER_S // 10


class Clock:
    """Reading = t + offset + skew·t + x(t); x is the integral of white and random-walk frequency noise, pulled back to
    zero if the clock is steered, plus white phase noise.

    The noise lives on knots 10 ms apart, drawn in fixed batches, straight in between. Old knots are thinned.
    """

    def __init__(self, config: ClockConfig, rng: Generator) -> None:
        self.config = config
        self.offset_ps = config.offset_ps
        self._rng = rng
        self._knots = np.zeros(1)
        self._first = 0
        self._wander = self._phase_ps = self._skew_error = 0.0
        self._history = [np.zeros(1)]
        self._noisy = max(config.white_frequency, config.random_walk_frequency, config.white_phase_ps) > 0

    def step(self, by_ps: int) -> None:
        """Jumps."""
        self.offset_ps += by_ps

    def run_off(self, t_ps: int, skew_error: float) -> None:
        """From lab time ``t_ps`` on the clock gains ``skew_error`` on what its reference would say; without a jump."""
        self.offset_ps -= round((skew_error - self._skew_error) * t_ps)
        self._skew_error = skew_error

    @property
    def skew(self) -> float:
        """Present deterministic rate error."""
        return self.config.skew + self._skew_error

    def read(self, t_ps: Int64Array) -> Int64Array:
        """Clock readings int64 (N,) ps at lab times ``t_ps`` int64 (N,); may not go back more than a few seconds."""
        first, spacing, knots = self.knots(t_ps)
        shift: FloatArray = self.skew * t_ps.astype(float)
        if len(knots):
            shift += np.interp(t_ps, (first + np.arange(len(knots))) * float(spacing), knots)
        reading: Int64Array = t_ps + self.offset_ps + np.rint(shift).astype(np.int64)
        return reading

    def read_one(self, t_ps: int) -> int:
        return int(self.read(np.array([t_ps], np.int64))[0])

    def line(self, t_start_ps: int, t_stop_ps: int) -> tuple[float, float]:
        """Best straight line (offset at t = 0 in ps, skew) through the realised clock over a stretch already read."""
        if not self._noisy:
            return float(self.offset_ps), self.skew
        t, x = self._kept_knots(t_start_ps, t_stop_ps)
        if len(t) < 2:
            return float(self.offset_ps) + float(x.mean() if len(x) else 0), self.skew
        slope, start = np.polyfit(t - t.mean(), x, 1)
        return self.offset_ps + start - slope * t.mean(), self.skew + slope

    def _kept_knots(self, t_start_ps: int, t_stop_ps: int) -> tuple[FloatArray, FloatArray]:
        """Times and phases (ps) of the knots of a stretch, all of them if it is recent, else the thinned ones."""
        recent = t_start_ps >= self._first * _KNOT_PS
        step_ps, first, knots = (
            (_KNOT_PS, self._first, self._knots) if recent else (_KEPT_PS, 0, np.concatenate(self._history))
        )
        k = np.arange(t_start_ps // step_ps, min(t_stop_ps // step_ps + 2, first + len(knots)))
        times = np.asarray(k * float(step_ps), np.float64)
        phases = np.asarray(knots[k - first], np.float64)
        return times, phases

    def knots(self, t_ps: Int64Array) -> tuple[int, int, FloatArray]:
        """First knot's number, knot spacing in ps, and x(t) in ps on the knots, reaching beyond ``t_ps`` (no noise: empty)."""
        if not self._noisy:
            return 0, _KNOT_PS, np.empty(0)
        latest = int(t_ps[-1]) if len(t_ps) else 0
        missing = latest // _KNOT_PS + 2 - (self._first + len(self._knots) - 1)
        while missing > 0:
            batches = min(-(-missing // _BATCH), _MOST_BATCHES)
            self._extend(batches)
            missing -= batches * _BATCH
        return self._first, _KNOT_PS, self._knots

    def _extend(self, batches: int) -> None:
        """Adds whole batches of knots; the draws are the same however many come at once."""
        step_s = _KNOT_PS / PS_PER_S
        drawn = self._rng.standard_normal((batches, 3, _BATCH))
        white = drawn[:, 0].ravel() * self.config.white_frequency / np.sqrt(step_s)
        steps = drawn[:, 1].ravel() * self.config.random_walk_frequency * np.sqrt(3 * step_s)
        walk = np.cumsum(np.append(self._wander, steps))[1:]
        self._wander = float(walk[-1])
        keep = np.exp(-step_s / self.config.steering_s) if self.config.steering_s else 1.0
        wander = _leaky_sum((white + walk) * _KNOT_PS, float(keep), self._phase_ps)
        self._phase_ps = float(wander[-1])
        new = wander + drawn[:, 2].ravel() * self.config.white_phase_ps
        step = _KEPT_PS // _KNOT_PS
        self._history.append(new[step - 1 :: step].copy())
        kept = self._knots[-_RECENT:]
        self._first += len(self._knots) - len(kept)
        self._knots = np.concatenate([kept, new])


@njit(cache=True, nogil=True)
def _leaky_sum(steps: FloatArray, keep: float, before: float) -> FloatArray:
    """``y[k] = steps[k] + keep y[k-1]`` from ``y[-1] = before``: float64 (K,)."""
    out = np.empty(len(steps))
    for k in range(len(steps)):
        before = steps[k] + keep * before
        out[k] = before
    return out
