"""When clicks come: cumulative distributions of photon and detector delays, and drawing times from them by table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx, ndtr

from ...analysis.records import FloatArray, Int64Array
from .kernels import invert
from .windows import Intervals

_GUIDE = 4097

Cdf = Callable[[FloatArray], FloatArray]


def normal_cdf(t_ps: FloatArray, sigma_ps: float) -> FloatArray:
    """Normal distribution function, a step when sigma is 0."""
    return np.asarray(ndtr(t_ps / sigma_ps) if sigma_ps > 0 else (t_ps >= 0).astype(float))


def emg_cdf(t_ps: FloatArray, sigma_ps: float, tau_ps: float) -> FloatArray:
    """Exponentially modified Gaussian: normal(0, sigma) plus exponential(tau); stable for any ratio of the two."""
    t_ps = np.asarray(t_ps, float)
    gauss = normal_cdf(t_ps, sigma_ps)
    if tau_ps <= 0:
        return gauss
    if sigma_ps <= 0:
        return np.where(t_ps > 0, -np.expm1(-np.maximum(t_ps, 0) / tau_ps), 0.0)
    z = (sigma_ps / tau_ps - t_ps / sigma_ps) / np.sqrt(2)
    # exp(a) erfc(z)/2 in the form that cannot overflow on either side
    near = 0.5 * np.exp(-((t_ps / sigma_ps) ** 2) / 2) * erfcx(np.maximum(z, 0))
    far = np.exp(np.minimum(sigma_ps**2 / (2 * tau_ps**2) - t_ps / tau_ps, 0)) * ndtr(-z * np.sqrt(2))
    return np.asarray(gauss - np.where(z > 0, near, far))


def photon_cdf(t_ps: FloatArray, lifetime_ps: float, sigma_ps: float, tau_ps: float) -> FloatArray:
    """Decay(lifetime) seen through an EMG detector; the two exponentials must differ."""
    slow, fast = emg_cdf(t_ps, sigma_ps, lifetime_ps), emg_cdf(t_ps, sigma_ps, tau_ps)
    return np.asarray((lifetime_ps * slow - tau_ps * fast) / (lifetime_ps - tau_ps))


def probability_in(cdf: Cdf, intervals: Intervals) -> float:
    """Probability that a delay falls into any of the half-open intervals."""
    return float(sum(np.diff(cdf(np.array(i, float)))[0] for i in intervals))


@dataclass(frozen=True, slots=True, eq=False)
class TimeTable:
    """Inverse distribution: ``t_ps`` float64 (M,) against ``cumulative`` float64 (M,) rising from 0 to 1.

    ``guide`` int64 (G,) is the last row not above each of G equally spaced values, so that a draw looks at few rows.
    """

    t_ps: FloatArray
    cumulative: FloatArray
    guide: Int64Array

    def draw(self, uniform: FloatArray) -> FloatArray:
        """Times (N,) ps for uniform numbers (N,) in [0, 1)."""
        drawn: FloatArray = invert(uniform, self.cumulative, self.t_ps, self.guide)
        return drawn


def time_table(cdf: Cdf, intervals: Intervals, sharp_ps: FloatArray) -> TimeTable:
    """Table of the distribution restricted to ``intervals``, with extra points ``sharp_ps`` where it changes fast."""
    times, steps = [], []
    reached = 0.0
    for start, stop in intervals:
        grid = np.unique(
            np.concatenate([np.linspace(start, stop, 1025), sharp_ps[(sharp_ps > start) & (sharp_ps < stop)]])
        )
        rise = cdf(grid) - cdf(grid[:1])
        times.append(grid)
        steps.append(reached + np.maximum.accumulate(rise))
        reached = float(steps[-1][-1])
    cumulative = np.concatenate(steps) / reached
    guide = np.searchsorted(cumulative, np.linspace(0, 1, _GUIDE), side="right") - 1
    return TimeTable(np.concatenate(times), cumulative, guide)
