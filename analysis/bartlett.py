"""How far the deviance of few counts exceeds its chi-square: the Bartlett factor of a likelihood-ratio interval.

To order 1/n the deviance between the best fit and one with a parameter held at its truth has mean ``1 + e_P - e_(P-1)``
instead of 1, and dividing by it makes the chi-square quantile right to order 1/n² (Lawley, Biometrika 43, 295, 1956). With
counts that are Poisson or binomial about ``mu(theta)`` the third derivatives of mu drop out of ``e``.

In parameters with unit Fisher information, g and H the first and second derivatives of mu at a point, ``a < 0`` the
expected curvature of its log-likelihood in mu, a' and a'' its derivatives:

    e = sum [-a''/4 |g|^4 - a' gHg + a (tr(H)²/4 - tr(H²)/2)]
        + sum_rtv [S_rtv (S_rtv/6 - D_rvt) + S_rtt (S_rvv/4 - D_rvv) + D_rtv D_rvt + D_rtt D_rvv]

with ``D_rst = d(E l_rs)/d theta_t`` and ``S_rst = E l_rst``, l the log-likelihood.
"""

from __future__ import annotations

import numpy as np

from .records import FloatArray

#: The expansion is trusted up to here; a factor below one would only shorten the interval.
LEAST, MOST = 1.0, 1.6


def bartlett_factor(
    mean: FloatArray, first: FloatArray, second: FloatArray, trials: FloatArray | None, tested: int
) -> float:
    """Factor by which the chi-square quantile of one parameter's deviance is to be raised, in ``[LEAST, MOST]``.

    Args:
        mean: float64 (K,), expected counts > 0.
        first: float64 (K, P), their derivatives by the free parameters.
        second: float64 (K, P, P), second derivatives.
        trials: float64 (K,) of binomial counts, None for Poisson counts.
        tested: index of the parameter the interval is for.
    """
    rest = [k for k in range(first.shape[1]) if k != tested]
    curvature = _curvature(mean, trials)
    excess = _excess(first, second, curvature)
    nuisance = _excess(first[:, rest], second[:, rest][:, :, rest], curvature) if rest else 0.0
    factor = 1.0 + excess - nuisance
    return float(np.clip(factor, LEAST, MOST)) if np.isfinite(factor) else LEAST


def _curvature(mean: FloatArray, trials: FloatArray | None) -> tuple[FloatArray, FloatArray, FloatArray]:
    """a, a', a'' of each point."""
    a, slope, bend = -1 / mean, 1 / mean**2, -2 / mean**3
    if trials is not None:
        missed = trials - mean
        a, slope, bend = a - 1 / missed, slope - 1 / missed**2, bend - 2 / missed**3
    return a, slope, bend


def _excess(first: FloatArray, second: FloatArray, curvature: tuple[FloatArray, FloatArray, FloatArray]) -> float:
    a, slope, bend = curvature
    information = -(first * a[:, None]).T @ first
    try:
        white = np.linalg.inv(np.linalg.cholesky(information)).T
    except np.linalg.LinAlgError:
        return float("nan")
    g, h = first @ white, white.T @ second @ white
    length, trace = np.sum(g * g, axis=1), np.trace(h, axis1=1, axis2=2)
    along = np.einsum("kr,krs,ks->k", g, h, g)
    local = -bend * length**2 / 4 - slope * along + a * (trace**2 / 4 - np.sum(h * h, axis=(1, 2)) / 2)
    cubic = np.einsum("k,kr,ks,kt->rst", slope, g, g, g)
    mixed = np.einsum("k,krs,kt->rst", a, h, g)
    # d(E l_rs)/dt: the derivative falls on a, on g_r or on g_s.
    d = cubic + mixed.transpose(0, 2, 1) + mixed.transpose(2, 0, 1)
    s = 2 * cubic + mixed + mixed.transpose(0, 2, 1) + mixed.transpose(2, 0, 1)
    s_trace, d_trace = np.einsum("rtt->r", s), np.einsum("rtt->r", d)
    pairs = s * (s / 6 - d.transpose(0, 2, 1)) + d * d.transpose(0, 2, 1)
    return float(local.sum() + pairs.sum() + np.sum(s_trace * (s_trace / 4 - d_trace) + d_trace**2))
