"""From a lock on part of the record to the model of all of it: grow the stretch, refit, keep the peak in view."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .clock_estimate import Fit, Score, fit_polynomial, score_of
from .clock_response import Peak, fit_peak
from .clock_verify import Lock, sharpen
from .kernels.clock import block_scores, find_pairs
from .records import PS_PER_S, ClockModel, FloatArray, Int64Array

FIRST_PAIRS = 300
WINDOW_STDS = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One polynomial over A's record ``[t_start_ps, t_stop_ps]``.

    Attributes:
        model: about the middle of the stretch that was locked first.
        peak: response, pairs and background the fit used.
        wander_sigmas: how far the pairs are from following the polynomial, as a Gaussian deviation (chi-squared of
            blocks of time); large when the clock wanders, leaps, or was lost on the way.
    """

    model: ClockModel
    peak: Peak
    t_start_ps: int
    t_stop_ps: int
    wander_sigmas: float


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs near a line: A's time in seconds from the line's reference float64 (P,), residual float64 (P,) ps."""

    u_s: FloatArray
    residual_ps: FloatArray


def follow(t_a_ps: Int64Array, t_b_ps: Int64Array, lock: Lock) -> Track:
    """Fit offset, skew and, where the data ask for it, drift over the whole record, starting from a lock.

    Both inputs int64 (N,) sorted ps.
    """
    lock = sharpen(t_a_ps, t_b_ps, lock, FIRST_PAIRS)
    poly = np.array([lock.offset_ps, lock.skew * PS_PER_S, 0.0])
    t_ref, half = lock.t_mid_ps, 4.0 * lock.width_ps
    start, stop, span = int(t_a_ps[0]), int(t_a_ps[-1]), lock.span_ps
    pairs = pairs_near(t_a_ps, t_b_ps, t_ref - span // 2, t_ref + span // 2, t_ref, poly, half)
    peak = fit_peak(pairs.residual_ps, half, lock.width_ps)
    poly[0] += peak.mean_ps
    while True:
        lo, hi = max(start, t_ref - span // 2), min(stop, t_ref + span // 2)
        half = WINDOW_STDS * peak.response.std_ps
        pairs = pairs_near(t_a_ps, t_b_ps, lo, hi, t_ref, poly, half)
        if lo == start and hi == stop:
            break
        peak = rescaled(peak, pairs, half)
        fit = best_fit(pairs, peak, half, curved=poly[2] != 0)
        poly[: len(fit.coefficients)] += fit.coefficients
        span *= 4
    return _final_fit(t_a_ps, pairs, poly, peak, half, t_ref)


def _final_fit(t_a: Int64Array, pairs: Pairs, poly: FloatArray, peak: Peak, half: float, t_ref: int) -> Track:
    """Line, then response about that line, then line again with the better response."""
    peak = rescaled(peak, pairs, half)
    total = np.zeros(3)
    for _ in range(2):
        fit = best_fit(Pairs(pairs.u_s, pairs.residual_ps - _value(total, pairs.u_s)), peak, half, curved=poly[2] != 0)
        total[: len(fit.coefficients)] += fit.coefficients
        residual = pairs.residual_ps - _value(total, pairs.u_s)
        peak = fit_peak(residual[np.abs(residual) < half], half, 2.5 * peak.response.std_ps)
        total[0] += peak.mean_ps
    score = score_of(peak, half)
    covariance = np.zeros((3, 3))
    covariance[: len(fit.coefficients), : len(fit.coefficients)] = fit.covariance
    # Not knowing the response costs location and nothing else.
    covariance[0, 0] += max(0.0, peak.mean_var_ps2 - 1 / score.information)
    wander = _wander_sigmas(t_a, t_ref, Pairs(pairs.u_s, residual - peak.mean_ps), score, int(peak.pairs))
    return Track(to_model(poly + total, covariance, t_ref), peak, int(t_a[0]), int(t_a[-1]), wander)


def _wander_sigmas(t_a: Int64Array, t_ref: int, pairs: Pairs, score: Score, n_pairs: int) -> float:
    """Gaussian deviation of the chi-squared of block offsets about zero (Wilson and Hilferty, PNAS 17, 684, 1931)."""
    n = int(np.clip(n_pairs // 50, 1, 64))
    if n < 8:
        return 0.0
    edges_ps = np.linspace(t_a[0], t_a[-1], n + 1).astype(np.int64)
    edges_s = (edges_ps - t_ref) / PS_PER_S
    block = np.clip(np.searchsorted(edges_s, pairs.u_s, side="right") - 1, 0, n - 1)
    total, count = block_scores(block, n, pairs.residual_ps, score.first_ps, score.step_ps, score.slope)
    information = np.maximum(count, 1) * score.information / len(pairs.u_s)
    # A block with clicks of A but half its pairs gone is where the peak was lost: that is a deviation too.
    due = np.diff(np.searchsorted(t_a, edges_ps)) * (len(pairs.u_s) / len(t_a))
    lost = np.where(count < 0.5 * due, (due - count) ** 2 / np.maximum(due, 1), 0.0)
    chi2_per_block = float(np.sum(total**2 / information) + np.sum(lost)) / n
    return float((chi2_per_block ** (1 / 3) - (1 - 2 / (9 * n))) / np.sqrt(2 / (9 * n)))


def pairs_near(
    t_a: Int64Array, t_b: Int64Array, lo_ps: int, hi_ps: int, t_ref_ps: int, poly: FloatArray, half_ps: float
) -> Pairs:
    """Pairs within ``±half_ps`` of the line ``poly`` (ps, ps/s, ps/s²) about ``t_ref_ps``, A in ``[lo_ps, hi_ps]``."""
    a = t_a[np.searchsorted(t_a, lo_ps) : np.searchsorted(t_a, hi_ps, side="right")]
    base = round(float(poly[0]))
    in_ps = np.array([poly[0] - base, poly[1] / PS_PER_S, poly[2] / PS_PER_S**2])
    index_a, _, residual = find_pairs(a, t_b, base, t_ref_ps, in_ps, half_ps)
    return Pairs((a[index_a] - t_ref_ps) / PS_PER_S, residual)


def rescaled(peak: Peak, pairs: Pairs, half_ps: float) -> Peak:
    """The same response with pairs and background counted anew: core of the window against its wings."""
    wings = float(np.count_nonzero(np.abs(pairs.residual_ps) > 0.7 * half_ps))
    background = max(wings / (0.6 * half_ps), 0.5 / half_ps)
    count = max(len(pairs.residual_ps) - background * 2 * half_ps, 1.0)
    return replace(peak, pairs=count, background_per_ps=background, mean_ps=0.0)


def best_fit(pairs: Pairs, peak: Peak, half_ps: float, *, curved: bool) -> Fit:
    """Straight line, or parabola where the likelihood asks for one (Bayesian information criterion and a margin)."""
    score = score_of(peak, half_ps)
    parabola = fit_polynomial(pairs.u_s, pairs.residual_ps, score, 2)
    if curved:
        return parabola
    line = fit_polynomial(pairs.u_s, pairs.residual_ps, score, 1)
    gain = parabola.log_likelihood - line.log_likelihood
    return parabola if gain > 0.5 * np.log(max(peak.pairs, 2.0)) + 2 else line


def _value(c: FloatArray, u_s: FloatArray) -> FloatArray:
    value: FloatArray = c[0] + u_s * (c[1] + u_s * c[2])
    return value


def to_model(poly: FloatArray, covariance: FloatArray, t_ref_ps: int) -> ClockModel:
    """Polynomial in seconds (ps, ps/s, ps/s²) and its covariance as a ClockModel about ``t_ref_ps``."""
    scale = np.diag([1.0, 1 / PS_PER_S, 2 / PS_PER_S])
    offset, skew, drift = scale @ poly
    return ClockModel(float(offset), float(skew), float(drift), t_ref_ps, scale @ covariance @ scale)
