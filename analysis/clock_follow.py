"""From a lock on part of the record to the model of all of it: grow the stretch, refit, keep the peak in view."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clock_estimate import Peak, fit_peak, log_likelihood, newton_line, score_of
from .clock_verify import Lock, sharpen
from .kernels.clock import find_pairs
from .records import PS_PER_S, ClockModel, FloatArray, Int64Array

FIRST_PAIRS = 300


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The fit of one stretch of A's record ``[t_start_ps, t_stop_ps]``: model about its middle, and the peak it used."""

    model: ClockModel
    peak: Peak
    t_start_ps: int
    t_stop_ps: int


def follow(t_a_ps: Int64Array, t_b_ps: Int64Array, lock: Lock) -> Track:
    """Fit offset, skew and, where the data ask for it, drift over the whole record, starting from a lock.

    Both inputs int64 (N,) sorted ps.
    """
    lock = sharpen(t_a_ps, t_b_ps, lock, FIRST_PAIRS)
    poly = np.array([lock.offset_ps, lock.skew * PS_PER_S, 0.0])
    start, stop = int(t_a_ps[0]), int(t_a_ps[-1])
    span, t_mid = lock.span_ps, lock.t_mid_ps
    while True:
        lo, hi = max(start, t_mid - span // 2), min(stop, t_mid + span // 2)
        last = lo == start and hi == stop
        t_ref = (lo + hi) // 2 if last else t_mid
        poly = _shifted(poly, (t_ref - t_mid) / PS_PER_S)
        t_mid = t_ref
        half = 6.0 * lock.width_ps
        for _ in range(3 if last else 2):
            poly, covariance, peak = _refit(t_a_ps, t_b_ps, lo, hi, t_mid, poly, half)
            half = max(6.0 * peak.response.std_ps, 6 * 2.0)
        if last:
            break
        span *= 2
    return Track(_model(poly, covariance, t_mid), peak, lo, hi)


def _refit(
    t_a: Int64Array, t_b: Int64Array, lo: int, hi: int, t_ref: int, poly: FloatArray, half: float
) -> tuple[FloatArray, FloatArray, Peak]:
    a = t_a[np.searchsorted(t_a, lo) : np.searchsorted(t_a, hi, side="right")]
    base = round(float(poly[0]))
    in_ps = np.array([poly[0] - base, poly[1] / PS_PER_S, poly[2] / PS_PER_S**2])
    index_a, _, residual = find_pairs(a, t_b, base, t_ref, in_ps, half)
    u_s = (a[index_a] - t_ref) / PS_PER_S
    peak = fit_peak(residual, half, half / 3)
    score = score_of(peak, half)
    best = newton_line(u_s, residual - peak.mean_ps, score, 1)
    curved = newton_line(u_s, residual - peak.mean_ps, score, 2)
    gain = [log_likelihood(u_s, residual - peak.mean_ps, score, c) for c, _ in (best, curved)]
    if poly[2] != 0 or gain[1] - gain[0] > 0.5 * np.log(max(peak.pairs, 2.0)) + 2:
        best = curved
    c, cov = best
    new = poly.copy()
    new[: len(c)] += c
    new[0] += peak.mean_ps
    covariance = np.zeros((3, 3))
    covariance[: len(c), : len(c)] = cov
    # Not knowing the response costs location and nothing else.
    covariance[0, 0] += max(0.0, peak.mean_var_ps2 - 1 / score.information)
    return new, covariance, peak


def _shifted(poly: FloatArray, by_s: float) -> FloatArray:
    c0, c1, c2 = poly
    return np.array([c0 + by_s * (c1 + by_s * c2), c1 + 2 * by_s * c2, c2])


def _model(poly: FloatArray, covariance: FloatArray, t_ref_ps: int) -> ClockModel:
    to_model = np.diag([1.0, 1 / PS_PER_S, 2 / PS_PER_S])
    offset, skew, drift = to_model @ poly
    return ClockModel(float(offset), float(skew), float(drift), t_ref_ps, to_model @ covariance @ to_model)
