"""Compiled loops of clock synchronisation: binning, lag planes, slope sums, pair search. Arrays in, arrays out.

Everywhere a prediction of ``t_b`` for a click ``t_a`` is ``t_a + base_ps + c0 + c1·u + c2·u²`` with
``u = t_a - t_ref_ps``: an exact integer part and a small float64 remainder, so no absolute time is ever a float.
"""

from __future__ import annotations

import numba
import numpy as np

from ..records import FloatArray, Int64Array


@numba.njit(cache=True, nogil=True)
def bin_counts(t_ps: Int64Array, start_ps: int, bin_ps: int, n_bins: int) -> np.ndarray:
    """Clicks a bin in ``[start, start + n_bins·bin)``: float32 (n_bins,). ``t_ps`` int64 (N,) sorted."""
    counts = np.zeros(n_bins, np.float32)
    first = np.searchsorted(t_ps, start_ps)
    stop = np.searchsorted(t_ps, start_ps + bin_ps * n_bins)
    per_bin = 1.0 / bin_ps
    for i in range(first, stop):
        counts[min(n_bins - 1, int((t_ps[i] - start_ps) * per_bin))] += 1
    return counts


@numba.njit(cache=True, nogil=True)
def slope_sums(plane: np.ndarray, max_shift: int) -> np.ndarray:
    """Sums along straight lines through a lag plane, all slopes at once (fast discrete drift transform, Taylor 1974).

    ``plane`` float32 (K, L), K a power of two: row k is the correlation of block k. Returns float32 (S, L) with
    S = min(max_shift, K - 1) + 1: entry (s, l) sums the plane along the line that starts at lag l in block 0 and ends
    at lag l + s in block K - 1. Costs S·L·log2(K) additions instead of S·L·K; lags past L read as absent.
    """
    rows, n = plane.shape
    now = plane
    span = 1
    while span < rows:
        span *= 2
        kept = min(max_shift, span - 1) + 1
        had = now.shape[0] // (rows // (span // 2))
        nxt = np.empty(((rows // span) * kept, n), np.float32)
        for g in range(rows // span):
            for s in range(kept):
                half = min(s // 2, had - 1)
                shift = s - half
                a = now[2 * g * had + half]
                b = now[(2 * g + 1) * had + half]
                out = nxt[g * kept + s]
                moved = b[shift:]
                for lag in range(n - shift):
                    out[lag] = a[lag] + moved[lag]
                out[n - shift :] = a[n - shift :]
        now = nxt
    return now


@numba.njit(cache=True, nogil=True)
def cells_above(sums: np.ndarray, n_lags: int, threshold: float, limit: int) -> np.ndarray:
    """Cells above ``threshold``: float64 (M, 4) of (slope index, lag index, width in cells 1 or 2, sum/√width).

    ``sums`` float32 (S, L); lags 0..n_lags-1 are looked at, alone and summed with their right neighbour.
    """
    found = np.empty((limit, 4), np.float64)
    m = 0
    root_half = np.float32(np.sqrt(0.5))
    for s in range(sums.shape[0]):
        row = sums[s]
        for lag in range(n_lags):
            one = row[lag]
            two = (one + row[lag + 1]) * root_half
            best = max(one, two)
            if best > threshold and m < limit:
                found[m, 0] = s
                found[m, 1] = lag
                found[m, 2] = 1.0 if one >= two else 2.0
                found[m, 3] = best
                m += 1
    return found[:m].copy()


@numba.njit(cache=True, nogil=True)
def lag_plane(
    t_a_ps: Int64Array,
    t_b_ps: Int64Array,
    base_ps: int,
    t_ref_ps: int,
    poly: FloatArray,
    start_ps: int,
    block_ps: float,
    n_blocks: int,
    bin_ps: float,
    n_bins: int,
) -> np.ndarray:
    """Histogram of ``t_b - predicted`` in blocks of A's time: int32 (n_blocks, n_bins), lags centred on the prediction.

    ``poly`` float64 (3,): c0, c1, c2 of the module docstring. Blocks start at ``start_ps`` and last ``block_ps``.
    """
    plane = np.zeros((n_blocks, n_bins), np.int32)
    half = 0.5 * bin_ps * n_bins
    reach = int(half) + 1
    i = np.searchsorted(t_a_ps, start_ps)
    stop = np.searchsorted(t_a_ps, start_ps + int(block_ps * n_blocks))
    if i >= stop:
        return plane
    u = float(t_a_ps[i] - t_ref_ps)
    j = np.searchsorted(t_b_ps, t_a_ps[i] + base_ps + int(poly[0] + u * (poly[1] + u * poly[2])) - reach - 1)
    n_b = len(t_b_ps)
    per_bin = 1.0 / bin_ps
    per_block = 1.0 / block_ps
    for ia in range(i, stop):
        ta = t_a_ps[ia]
        u = float(ta - t_ref_ps)
        shift = poly[0] + u * (poly[1] + u * poly[2])
        whole = int(np.floor(shift))
        target = ta + base_ps + whole
        fraction = shift - whole
        while j < n_b and t_b_ps[j] < target - reach:
            j += 1
        k = min(n_blocks - 1, int((ta - start_ps) * per_block))
        m = j
        while m < n_b and t_b_ps[m] <= target + reach:
            cell = int(np.floor((float(t_b_ps[m] - target) - fraction + half) * per_bin))
            if 0 <= cell < n_bins:
                plane[k, cell] += 1
            m += 1
    return plane


@numba.njit(cache=True, nogil=True)
def find_pairs(
    t_a_ps: Int64Array,
    t_b_ps: Int64Array,
    base_ps: int,
    t_ref_ps: int,
    poly: FloatArray,
    half_window_ps: float,
) -> tuple[Int64Array, Int64Array, FloatArray]:
    """Every pair with ``|t_b - predicted| <= half_window``.

    Returns index into A int64 (P,), index into B int64 (P,), residual float64 (P,) in ps, in order of A.
    """
    n_b = len(t_b_ps)
    capacity = max(1024, len(t_a_ps) // 4)
    ia_out = np.empty(capacity, np.int64)
    ib_out = np.empty(capacity, np.int64)
    residual = np.empty(capacity, np.float64)
    n = 0
    j = 0
    reach = int(half_window_ps) + 1
    if len(t_a_ps) and n_b:
        u = float(t_a_ps[0] - t_ref_ps)
        j = np.searchsorted(t_b_ps, t_a_ps[0] + base_ps + int(poly[0] + u * (poly[1] + u * poly[2])) - reach - 1)
    for ia in range(len(t_a_ps)):
        ta = t_a_ps[ia]
        u = float(ta - t_ref_ps)
        shift = poly[0] + u * (poly[1] + u * poly[2])
        whole = int(np.floor(shift))
        target = ta + base_ps + whole
        fraction = shift - whole
        while j < n_b and t_b_ps[j] < target - reach:
            j += 1
        m = j
        while m < n_b and t_b_ps[m] <= target + reach:
            r = float(t_b_ps[m] - target) - fraction
            if abs(r) <= half_window_ps:
                if n == capacity:
                    capacity *= 2
                    ia_out = np.concatenate((ia_out, np.empty(capacity - n, np.int64)))
                    ib_out = np.concatenate((ib_out, np.empty(capacity - n, np.int64)))
                    residual = np.concatenate((residual, np.empty(capacity - n, np.float64)))
                ia_out[n] = ia
                ib_out[n] = m
                residual[n] = r
                n += 1
            m += 1
    return ia_out[:n].copy(), ib_out[:n].copy(), residual[:n].copy()


@numba.njit(cache=True, nogil=True)
def score_sums(
    u_s: FloatArray,
    residual_ps: FloatArray,
    c: FloatArray,
    first_ps: float,
    step_ps: float,
    slope: FloatArray,
    log_density: FloatArray,
) -> tuple[FloatArray, float]:
    """Gradient float64 (3,) and value of the log-likelihood of residuals about the polynomial ``c`` float64 (3,).

    ``slope`` and ``log_density`` float64 (G,) tabulate one residual's share on the grid ``first + step·k``; residuals
    outside the grid count with the table's end and no gradient.
    """
    gradient = np.zeros(3)
    total = 0.0
    cells = len(slope)
    for i in range(len(u_s)):
        u = u_s[i]
        at = (residual_ps[i] - (c[0] + u * (c[1] + u * c[2])) - first_ps) / step_ps
        k = int(np.floor(at))
        if k < 0:
            total += log_density[0]
        elif k >= cells - 1:
            total += log_density[cells - 1]
        else:
            part = at - k
            total += log_density[k] + part * (log_density[k + 1] - log_density[k])
            g = slope[k] + part * (slope[k + 1] - slope[k])
            gradient[0] += g
            gradient[1] += g * u
            gradient[2] += g * u * u
    return gradient, total


@numba.njit(cache=True, nogil=True)
def sheared_sums(plane: np.ndarray, end_shifts: FloatArray) -> np.ndarray:
    """Sum of the rows of ``plane`` int32 (K, L), each moved so that a line drifting ``end_shifts`` bins stands upright.

    ``end_shifts`` float64 (Y,) count from end to end; the middle of the rows stays. Returns int64 (Y, L).
    """
    rows, n = plane.shape
    out = np.zeros((len(end_shifts), n), np.int64)
    for y in range(len(end_shifts)):
        for k in range(rows):
            shift = int(np.rint(((k + 0.5) / rows - 0.5) * end_shifts[y]))
            for lag in range(max(0, -shift), min(n, n - shift)):
                out[y, lag] += plane[k, lag + shift]
    return out


@numba.njit(cache=True, nogil=True)
def power_sums(u: FloatArray) -> FloatArray:
    """Sums of the powers 0..4 of ``u`` float64 (P,): float64 (5,)."""
    out = np.zeros(5)
    for i in range(len(u)):
        x = u[i]
        out[1] += x
        out[2] += x * x
        out[3] += x * x * x
        out[4] += x * x * x * x
    out[0] = len(u)
    return out


@numba.njit(cache=True, nogil=True)
def block_scores(
    block: Int64Array, n_blocks: int, residual_ps: FloatArray, first_ps: float, step_ps: float, slope: FloatArray
) -> tuple[FloatArray, Int64Array]:
    """Sum of the score of the residuals in each block float64 (n_blocks,), and how many residuals it holds int64."""
    total = np.zeros(n_blocks)
    count = np.zeros(n_blocks, np.int64)
    for i in range(len(block)):
        k = int((residual_ps[i] - first_ps) / step_ps)
        if 0 <= k < len(slope):
            total[block[i]] += slope[k]
        count[block[i]] += 1
    return total, count
