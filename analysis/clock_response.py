"""The shape of a pair correlation peak, learned from the pairs themselves.

The density of a pair's residual is ``N·g(u) + b``: g is a Gaussian with an exponential tail on each side (late clicks of
B, late clicks of A), b the flat background of accidental pairs. The place of the peak is the mean of g.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares
from scipy.special import erfcx

from .records import FloatArray


@dataclass(frozen=True, slots=True)
class Response:
    """Density of ``t_b - t_a`` of true pairs about its own mean: Gaussian ``sigma_ps`` and two exponential tails.

    Attributes:
        sigma_ps: standard deviation of the Gaussian part.
        tau_late_ps, tau_early_ps: exponential tails towards positive and negative lags.
    """

    sigma_ps: float
    tau_late_ps: float
    tau_early_ps: float

    @property
    def std_ps(self) -> float:
        """Standard deviation of the whole response."""
        return float(np.sqrt(self.sigma_ps**2 + self.tau_late_ps**2 + self.tau_early_ps**2))

    def density(self, u_ps: FloatArray) -> FloatArray:
        """Probability density a ps at ``u_ps`` float64 (N,), mean zero. A normal convolved with an asymmetric Laplace."""
        x = np.asarray(u_ps, np.float64) + self.tau_late_ps - self.tau_early_ps
        late = _gauss_exp(x, self.sigma_ps, self.tau_late_ps)
        early = _gauss_exp(-x, self.sigma_ps, self.tau_early_ps)
        total: FloatArray = (self.tau_late_ps * late + self.tau_early_ps * early) / (
            self.tau_late_ps + self.tau_early_ps
        )
        return total


def _gauss_exp(x: FloatArray, sigma: float, tau: float) -> FloatArray:
    """Normal convolved with an exponential of mean ``tau`` towards positive x, stable for any argument."""
    z = (sigma / tau - x / sigma) / np.sqrt(2)
    near = np.exp(-0.5 * np.square(x / sigma)) * erfcx(np.maximum(z, -20))
    far = 2 * np.exp(np.minimum(0.5 * (sigma / tau) ** 2 - x / tau, 0))
    density: FloatArray = np.where(z > -5, near, far) / (2 * tau)
    return density


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """What a histogram of residuals holds: response, its mean, pairs and background, with the fit's covariance."""

    response: Response
    mean_ps: float
    mean_var_ps2: float
    pairs: float
    background_per_ps: float


def fit_peak(residual_ps: FloatArray, half_window_ps: float, width_ps: float) -> Peak:
    """Binned Poisson maximum likelihood of the response. ``residual_ps`` float64 (P,) within ``±half_window_ps``.

    ``width_ps`` is a rough full width of the peak, which must lie near zero.
    """
    bins = int(np.clip(2 * half_window_ps / (width_ps / 16), 64, 1024))
    counts, edges = np.histogram(residual_ps, bins, (-half_window_ps, half_window_ps))
    centre, step = 0.5 * (edges[1:] + edges[:-1]), edges[1] - edges[0]
    outer = np.abs(centre) > 0.6 * half_window_ps
    b0 = max(counts[outer].mean(), 1e-3) / step
    n0 = max(counts.sum() - b0 * 2 * half_window_ps, 1.0)
    start = np.array(
        [0.0, np.log(0.35 * width_ps), np.log(0.1 * width_ps), np.log(0.1 * width_ps), np.log(n0), np.log(b0)]
    )
    low, high = np.log(0.02 * width_ps), np.log(half_window_ps)
    bounds = (
        [-half_window_ps, low, low, low, np.log(1e-2 * n0), np.log(1e-6 * n0 / half_window_ps)],
        [
            half_window_ps,
            high,
            high,
            high,
            np.log(1e2 * n0),
            np.log(1e2 * max(n0, b0 * half_window_ps) / half_window_ps),
        ],
    )

    def expected(p: FloatArray) -> FloatArray:
        shape = Response(*np.exp(p[1:4]))
        mu: FloatArray = (np.exp(p[4]) * shape.density(centre - p[0]) + np.exp(p[5])) * step
        return np.maximum(mu, 1e-12)

    def deviance_roots(p: FloatArray) -> FloatArray:
        mu = expected(p)
        deviance = 2 * (mu - counts + counts * np.log(np.maximum(counts, 1e-300) / mu))
        roots: FloatArray = np.sign(counts - mu) * np.sqrt(np.maximum(deviance, 0))
        return roots

    start = np.clip(start, np.array(bounds[0]) + 1e-9, np.array(bounds[1]) - 1e-9)
    fit = least_squares(
        deviance_roots, start, bounds=bounds, x_scale=[0.1 * width_ps, 0.1, 0.3, 0.3, 0.1, 0.3], max_nfev=60
    )
    jac = _jacobian(expected, fit.x) / np.sqrt(expected(fit.x))[:, None]
    fisher = jac.T @ jac
    variance = np.linalg.pinv(fisher + np.diag([0, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9]))[0, 0]
    sigma, late, early, pairs, background = np.exp(fit.x[1:])
    return Peak(
        Response(float(sigma), float(late), float(early)),
        float(fit.x[0]),
        float(variance),
        float(pairs),
        float(background),
    )


def _jacobian(f: Callable[[FloatArray], FloatArray], x: FloatArray) -> FloatArray:
    columns = []
    for k in range(len(x)):
        h = 1e-4 * max(1.0, abs(x[k]))
        up, down = x.copy(), x.copy()
        up[k] += h
        down[k] -= h
        columns.append((f(up) - f(down)) / (2 * h))
    return np.column_stack(columns)
