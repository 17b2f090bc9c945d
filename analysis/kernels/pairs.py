"""Kernels: histograms of pair lags ``t_b - t_a`` in exact integer arithmetic."""

from __future__ import annotations

import numpy as np

from ..records import Int64Array
from .jit import kernel


@kernel
def accumulate_pairs(
    t_a: Int64Array,
    t_b: Int64Array,
    range_ps: int,
    bin_ps: int,
    multiplier: np.uint64,
    shift: np.uint64,
    counts: Int64Array,
) -> None:
    """Adds every pair with ``-range <= t_b - t_a < range`` to ``counts`` (int64 (2·range/bin,))."""
    n_b = len(t_b)
    low = 0
    for i in range(len(t_a)):
        first = t_a[i] - range_ps
        stop = t_a[i] + range_ps
        while low < n_b and t_b[low] < first:
            low += 1
        j = low
        while j < n_b and t_b[j] < stop:
            offset = np.uint64(t_b[j] - first)
            counts[
                np.int64((offset * multiplier) >> shift) if multiplier else np.int64(offset // np.uint64(bin_ps))
            ] += 1
            j += 1


@kernel
def count_between(t_a: Int64Array, t_b: Int64Array, low_ps: int, high_ps: int) -> int:
    """Number of pairs with ``low <= t_b - t_a < high``."""
    n_b = len(t_b)
    low = high = total = 0
    for i in range(len(t_a)):
        first, stop = t_a[i] + low_ps, t_a[i] + high_ps
        while low < n_b and t_b[low] < first:
            low += 1
        while high < n_b and t_b[high] < stop:
            high += 1
        total += high - low
    return total
