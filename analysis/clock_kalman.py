"""How a clock wanders, learned from its own offsets, and the best estimate of its time error from them.

The clock's time error x has white frequency noise and random-walk frequency noise about a steady drift (Galleani,
Metrologia 45, S175, 2008; Zucca and Tavella, IEEE UFFC 52, 289, 2005). The two noise levels maximise the likelihood of the measured offsets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from .kernels.clock_kalman import filter_pass, process_noise, smooth_pass, transition
from .records import FloatArray


@dataclass(frozen=True, slots=True)
class ClockNoise:
    """Levels of white (``white_ps2_per_s``) and random-walk (``walk_ps2_per_s3``) frequency noise.

    A random walk of 1e-9 per √s of the fractional frequency is 1e6 ps²/s³.
    """

    white_ps2_per_s: float
    walk_ps2_per_s3: float


@dataclass(frozen=True, slots=True, eq=False)
class ClockState:
    """Time error [ps], rate [ps/s] and drift [ps/s²] at one instant: float64 (3,) and covariance (3, 3)."""

    mean: FloatArray
    covariance: FloatArray

    def predicted(self, dt_s: float, noise: ClockNoise) -> ClockState:
        """The state ``dt_s`` later (or earlier)."""
        f = transition(dt_s)
        q = process_noise(dt_s, noise.white_ps2_per_s, noise.walk_ps2_per_s3)
        return ClockState(f @ self.mean, f @ self.covariance @ f.T + q)

    def updated(self, offset_ps: float, var_ps2: float) -> ClockState:
        """The state after a measured offset."""
        p = self.covariance
        gain = p[:, 0] / (p[0, 0] + var_ps2)
        covariance = p - np.outer(gain, p[0])
        return ClockState(self.mean + gain * (offset_ps - self.mean[0]), 0.5 * (covariance + covariance.T))

    def displaced(self, shift_ps: float, std_ps: float) -> ClockState:
        """The state after the time error leapt by ``shift_ps``, known to ``std_ps``; rate and drift stay."""
        covariance = self.covariance.copy()
        covariance[0, :] = covariance[:, 0] = 0.0
        covariance[0, 0] = std_ps**2
        return ClockState(self.mean + np.array([shift_ps, 0.0, 0.0]), covariance)


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """Best states given all offsets: times float64 (N,) s, means (N, 3), covariances (N, 3, 3), and the noise assumed."""

    t_s: FloatArray
    mean: FloatArray
    covariance: FloatArray
    noise: ClockNoise
    log_likelihood: float


def smooth(t_s: FloatArray, offset_ps: FloatArray, std_ps: FloatArray, noise: ClockNoise) -> Smoothed:
    """Rauch-Tung-Striebel smoother over measured offsets, all float64 (N,), in order of time."""
    var = np.square(std_ps)
    q = (noise.white_ps2_per_s, noise.walk_ps2_per_s3)
    start = _vague_start(t_s, offset_ps, var)
    log_likelihood, means, covs = filter_pass(t_s, offset_ps, var, *q, *start)
    mean, covariance = smooth_pass(t_s, means, covs, *q)
    return Smoothed(t_s, mean, covariance, noise, float(log_likelihood))


def identify_noise(t_s: FloatArray, offset_ps: FloatArray, std_ps: FloatArray) -> ClockNoise:
    """Maximum-likelihood noise levels of a clock from measured offsets float64 (N,) and their standard errors."""
    var = np.square(std_ps)
    start = _vague_start(t_s, offset_ps, var)
    step = float(np.median(np.diff(t_s)))
    scale = np.log([np.median(var) / step, np.median(var) / step**3])

    def cost(p: FloatArray) -> float:
        q = np.exp(np.clip(p, scale - 25, scale + 25))
        return -float(filter_pass(t_s, offset_ps, var, q[0], q[1], *start)[0])

    starts = [scale + np.array(d) for d in ((-4.0, -4.0), (-12.0, -2.0), (-2.0, -12.0), (-14.0, -14.0))]
    first = min(starts, key=cost)
    best = minimize(cost, first, method="Nelder-Mead", options={"xatol": 0.02, "fatol": 0.01, "maxiter": 200})
    q = np.exp(np.clip(best.x, scale - 25, scale + 25))
    return ClockNoise(float(q[0]), float(q[1]))


def _vague_start(t_s: FloatArray, offset_ps: FloatArray, var: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Level of the first offset, and a prior so wide in rate and drift that it adds nothing."""
    span = max(float(t_s[-1] - t_s[0]), 1e-6)
    reach = float(np.ptp(offset_ps)) + 10 * float(np.sqrt(var.max()))
    mean = np.array([offset_ps[0], 0.0, 0.0])
    return mean, np.diag([100 * reach**2, 100 * (reach / span) ** 2, 100 * (reach / span**2) ** 2])
