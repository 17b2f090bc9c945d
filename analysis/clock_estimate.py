"""Offset, skew and drift by maximum likelihood on the exact residuals of the pairs.

Fisher scoring with the score of the learned peak; the inverse Fisher information is the covariance. This reaches the
Cramér-Rao bound of the peak's shape, which for a Gaussian without background is ``sigma/sqrt(N)`` at mid-record.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clock_response import Peak
from .kernels.clock import power_sums, score_sums
from .records import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """ln(density) of a residual and its slope against location, tabulated evenly over the window.

    Attributes:
        first_ps, step_ps: of the table's grid.
        slope: float64 (G,), d ln(density)/d location in 1/ps.
        log_density: float64 (G,).
        information: expected Fisher information on location of all pairs in the window, 1/ps².
    """

    first_ps: float
    step_ps: float
    slope: FloatArray
    log_density: FloatArray
    information: float


def score_of(peak: Peak, half_window_ps: float) -> Score:
    """Tabulate the score of ``peak`` over ``±half_window_ps``."""
    cells = int(np.clip(2 * half_window_ps / (peak.response.std_ps / 50), 1000, 20_000))
    grid = np.linspace(-half_window_ps, half_window_ps, cells)
    total = peak.pairs * peak.response.density(grid) + peak.background_per_ps
    rise = np.gradient(total, grid)
    step = float(grid[1] - grid[0])
    return Score(-half_window_ps, step, -rise / total, np.log(total), float(np.sum(rise**2 / total) * step))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Polynomial of the residuals in seconds: coefficients float64 (D+1,) ps/s^k, covariance, and log-likelihood."""

    coefficients: FloatArray
    covariance: FloatArray
    log_likelihood: float


def fit_polynomial(u_s: FloatArray, residual_ps: FloatArray, score: Score, degree: int) -> Fit:
    """Maximum-likelihood polynomial of ``residual_ps`` float64 (P,) in ``u_s`` float64 (P,), response known.

    The caller sees to it that the residuals are within about one response width of the answer.
    """
    powers = power_sums(u_s)
    fisher = np.array([[powers[i + j] for j in range(degree + 1)] for i in range(degree + 1)])
    covariance: FloatArray = np.linalg.inv(fisher * (score.information / len(u_s))).astype(np.float64)
    std = np.sqrt(np.diag(covariance))
    c = np.zeros(3)
    table = (score.first_ps, score.step_ps, score.slope, score.log_density)
    for _ in range(20):
        gradient, _ = score_sums(u_s, residual_ps, c, *table)
        step = covariance @ gradient[: degree + 1]
        c[: degree + 1] += step
        if np.all(np.abs(step) < 1e-3 * std):
            break
    _, log_likelihood = score_sums(u_s, residual_ps, c, *table)
    return Fit(c[: degree + 1], covariance, float(log_likelihood))
