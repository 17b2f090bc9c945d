"""Compiled loops of the stability measures: one pass over the phase an averaging time, missing samples (nan) left out."""

from __future__ import annotations

import numba
import numpy as np

from ..records import FloatArray


@numba.njit(cache=True, nogil=True)
def squared_second_differences(x: FloatArray, m: int) -> tuple[float, int]:
    """Sum of squared overlapping second differences at lag ``m``, and how many terms there were."""
    total = 0.0
    terms = 0
    for i in range(len(x) - 2 * m):
        d = x[i + 2 * m] - 2 * x[i + m] + x[i]
        if not np.isnan(d):
            total += d * d
            terms += 1
    return total, terms


@numba.njit(cache=True, nogil=True)
def squared_third_differences(x: FloatArray, m: int) -> tuple[float, int]:
    """Sum of squared overlapping third differences at lag ``m``, and how many terms there were."""
    total = 0.0
    terms = 0
    for i in range(len(x) - 3 * m):
        d = x[i + 3 * m] - 3 * x[i + 2 * m] + 3 * x[i + m] - x[i]
        if not np.isnan(d):
            total += d * d
            terms += 1
    return total, terms


@numba.njit(cache=True, nogil=True)
def squared_mean_differences(x: FloatArray, m: int) -> tuple[float, int]:
    """Sum of squared second differences of means over ``m`` samples, and the number of terms; ``x`` has no nan."""
    n = len(x)
    terms = n - 3 * m + 1
    if terms < 1:
        return 0.0, 0
    first = 0.0
    for i in range(m):
        first += x[i + 2 * m] - 2 * x[i + m] + x[i]
    window = first
    total = window * window
    for i in range(terms - 1):
        window += x[i + 3 * m] - 3 * x[i + 2 * m] + 3 * x[i + m] - x[i]
        total += window * window
    return total / (float(m) * m), terms


@numba.njit(cache=True, nogil=True)
def squared_mean_differences_gaps(x: FloatArray, m: int) -> tuple[float, int]:
    """As ``squared_mean_differences``, each mean over what is present; a mean needs at least half of its samples."""
    n = len(x)
    total = 0.0
    terms = 0
    sums = np.zeros(3)
    present = np.zeros(3, np.int64)
    for k in range(3):
        for i in range(k * m, min(n, (k + 1) * m)):
            if not np.isnan(x[i]):
                sums[k] += x[i]
                present[k] += 1
    for i in range(n - 3 * m + 1):
        if 2 * present.min() >= m:
            d = sums[2] / present[2] - 2 * sums[1] / present[1] + sums[0] / present[0]
            total += d * d
            terms += 1
        if i + 3 * m < n:
            for k in range(3):
                out, new = x[i + k * m], x[i + (k + 1) * m]
                if not np.isnan(out):
                    sums[k] -= out
                    present[k] -= 1
                if not np.isnan(new):
                    sums[k] += new
                    present[k] += 1
    return total, terms


@numba.njit(cache=True, nogil=True)
def widest_excursion(top: FloatArray, bottom: FloatArray, have: int, want: int) -> float:
    """Largest max - min over windows of ``want`` samples, from running extremes over ``have`` (want/2 < have <= want)."""
    best = -np.inf
    shift = want - have
    for i in range(len(top) - shift):
        high = max(top[i], top[i + shift])
        low = min(bottom[i], bottom[i + shift])
        best = max(best, high - low)
    return best


@numba.njit(cache=True, nogil=True)
def doubled_extremes(top: FloatArray, bottom: FloatArray, have: int) -> tuple[FloatArray, FloatArray]:
    """Running extremes over ``2·have`` samples from those over ``have``: two arrays shorter by ``have``."""
    n = len(top) - have
    high = np.empty(n)
    low = np.empty(n)
    for i in range(n):
        high[i] = max(top[i], top[i + have])
        low[i] = min(bottom[i], bottom[i + have])
    return high, low
