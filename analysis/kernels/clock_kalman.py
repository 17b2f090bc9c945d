"""Compiled Kalman filter and Rauch-Tung-Striebel smoother of a clock: time error, its rate, and a steady drift."""

from __future__ import annotations

import numba
import numpy as np

from ..records import FloatArray


@numba.njit(cache=True, nogil=True)
def transition(dt_s: float) -> FloatArray:
    """State transition float64 (3, 3) of (x [ps], y [ps/s], d [ps/s²]) over ``dt_s``."""
    out = np.eye(3)
    out[0, 1] = dt_s
    out[0, 2] = 0.5 * dt_s * dt_s
    out[1, 2] = dt_s
    return out


@numba.njit(cache=True, nogil=True)
def process_noise(dt_s: float, q_x: float, q_y: float) -> FloatArray:
    """Covariance float64 (3, 3) grown over ``|dt_s|``: white frequency ``q_x`` [ps²/s], random walk ``q_y`` [ps²/s³]."""
    h = abs(dt_s)
    out = np.zeros((3, 3))
    out[0, 0] = q_x * h + q_y * h**3 / 3
    out[0, 1] = out[1, 0] = 0.5 * q_y * h * dt_s
    out[1, 1] = q_y * h
    return out


@numba.njit(cache=True, nogil=True)
def filter_pass(
    t_s: FloatArray, z_ps: FloatArray, var_ps2: FloatArray, q_x: float, q_y: float, mean: FloatArray, cov: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Log-likelihood, filtered means float64 (N, 3) and covariances (N, 3, 3); ``mean``, ``cov`` hold at ``t_s[0]``."""
    n = len(t_s)
    means = np.empty((n, 3))
    covs = np.empty((n, 3, 3))
    m = mean.copy()
    p = cov.copy()
    total = 0.0
    for i in range(n):
        if i:
            dt = t_s[i] - t_s[i - 1]
            f = transition(dt)
            m = f @ m
            p = f @ p @ f.T + process_noise(dt, q_x, q_y)
        s = p[0, 0] + var_ps2[i]
        innovation = z_ps[i] - m[0]
        total -= 0.5 * (np.log(2 * np.pi * s) + innovation * innovation / s)
        gain = p[:, 0].copy() / s
        m = m + gain * innovation
        p = p - np.outer(gain, p[0, :].copy())
        p = 0.5 * (p + p.T)
        means[i] = m
        covs[i] = p
    return total, means, covs


@numba.njit(cache=True, nogil=True)
def smooth_pass(
    t_s: FloatArray, means: FloatArray, covs: FloatArray, q_x: float, q_y: float
) -> tuple[FloatArray, FloatArray]:
    """Smoothed means (N, 3) and covariances (N, 3, 3) from filtered ones."""
    n = len(t_s)
    m = means.copy()
    p = covs.copy()
    for i in range(n - 2, -1, -1):
        dt = t_s[i + 1] - t_s[i]
        f = transition(dt)
        ahead = f @ covs[i] @ f.T + process_noise(dt, q_x, q_y)
        gain = np.linalg.solve(ahead, f @ covs[i]).T.copy()
        m[i] = means[i] + gain @ (m[i + 1] - f @ means[i])
        p[i] = covs[i] + gain @ (p[i + 1] - ahead) @ gain.T
    return m, p
