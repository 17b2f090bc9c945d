"""Kernels: histograms of pair lags ``t_b - t_a`` in exact integer arithmetic.

All three add every pair with ``-range <= t_b - t_a < range`` to ``counts`` (int64 (2·range/bin,)) and agree to the count.
``narrow_pairs`` is for a few pairs a start, ``wide_pairs`` for many; both need the offset ``t_b - t_a + range`` to fit 31
bits, so that ``(offset·multiplier) >> shift`` divides it by the bin exactly. ``any_pairs`` divides and takes any range.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..records import Int64Array
from .jit import kernel
from .search import BLOCK, lower_bounds

_ONE, _TWO, _THREE = np.uint64(1), np.uint64(2), np.uint64(3)
#: Bin indices computed before they are counted, and the granule they are computed in.
_BUFFER, _GRANULE = 2048, 8


@kernel
def any_pairs(t_a: Int64Array, t_b: Int64Array, range_ps: int, bin_ps: int, counts: Int64Array) -> None:
    """The definition as a loop: any range, any bin."""
    n_b = len(t_b)
    low = 0
    for i in range(len(t_a)):
        first, stop = t_a[i] - range_ps, t_a[i] + range_ps
        while low < n_b and t_b[low] < first:
            low += 1
        j = low
        while j < n_b and t_b[j] < stop:
            counts[np.uint64(t_b[j] - first) // np.uint64(bin_ps)] += 1
            j += 1


@kernel
def narrow_pairs(
    t_a: Int64Array,
    t_b: Int64Array,
    range_ps: int,
    bin_ps: int,
    multiplier: np.uint64,
    shift: np.uint64,
    counts: Int64Array,
) -> None:
    """Takes the first three stops of every start without asking, keeps those in range, loops only beyond them."""
    n_a, n_b = len(t_a), len(t_b)
    width, end = np.uint64(2 * range_ps), np.uint64(n_b)
    bounds = np.empty(BLOCK, np.uint64)
    offsets = np.empty(3 * BLOCK + 3, np.uint32)
    start = low = 0
    while start + BLOCK <= n_a and t_a[start + BLOCK - 1] - range_ps <= t_b[n_b - 1]:
        starts = t_a[start : start + BLOCK]
        next_low = lower_bounds(starts, t_b, -range_ps, low, bounds)
        if next_low + 3 > n_b:
            break
        kept = np.uint64(0)
        for i in range(BLOCK):
            first = starts[i] - range_ps
            j = bounds[i]
            offset0, offset1, offset2 = (
                np.uint64(t_b[j] - first),
                np.uint64(t_b[j + _ONE] - first),
                np.uint64(t_b[j + _TWO] - first),
            )
            offsets[kept], offsets[kept + _ONE], offsets[kept + _TWO] = (
                np.uint32(offset0),
                np.uint32(offset1),
                np.uint32(offset2),
            )
            kept += np.uint64(offset0 < width) + np.uint64(offset1 < width) + np.uint64(offset2 < width)
            j += _THREE
            while j < end and np.uint64(t_b[j] - first) < width:
                counts[(np.uint64(t_b[j] - first) * multiplier) >> shift] += 1
                j += _ONE
        for i in range(kept):
            counts[(np.uint64(offsets[i]) * multiplier) >> shift] += 1
        start, low = start + BLOCK, next_low
    any_pairs(t_a[start:], t_b[low:], range_ps, bin_ps, counts)


@kernel
def wide_pairs(
    t_a: Int64Array,
    t_b: Int64Array,
    range_ps: int,
    bin_ps: int,
    multiplier: np.uint64,
    shift: np.uint64,
    counts: Int64Array,
) -> None:
    """Computes the bin indices of a start's whole window as one vector, then counts them: 32-bit counts stay in cache."""
    n_a, n_b = len(t_a), len(t_b)
    lows, highs = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    indices = np.empty(_BUFFER + _GRANULE, np.uint32)
    partial = np.zeros(len(counts), np.uint32)
    start = low = high = held = counted = 0
    while start + BLOCK <= n_a and t_a[start + BLOCK - 1] + range_ps <= t_b[n_b - 1]:
        starts = t_a[start : start + BLOCK]
        next_low = lower_bounds(starts, t_b, -range_ps, low, lows)
        high = lower_bounds(starts, t_b, range_ps, high, highs)
        for i in range(BLOCK):
            j, stop = int(np.int64(lows[i])), int(np.int64(highs[i]))
            while j < stop:
                n = min(stop - j, _BUFFER - held)
                # Whole granules: what they write beyond n is overwritten by the next start or never counted.
                padded = (n + _GRANULE - 1) // _GRANULE * _GRANULE
                _bin_indices(
                    t_b[j : j + padded], starts[i] - range_ps, multiplier, shift, indices[held : held + padded]
                )
                held, j = held + n, j + n
                if held == _BUFFER:
                    _increment(indices, held, partial)
                    held, counted = 0, counted + held
                    if counted > 2**31:
                        counts += partial
                        partial[:] = 0
                        counted = 0
        start, low = start + BLOCK, next_low
    _increment(indices, held, partial)
    counts += partial
    any_pairs(t_a[start:], t_b[low:], range_ps, bin_ps, counts)


@kernel
def _bin_indices(
    stops: Int64Array, first: int, multiplier: np.uint64, shift: np.uint64, indices: NDArray[np.uint32]
) -> None:
    # 32-bit factors with a 64-bit product: one vector instruction; multiplier < 2^32 because offsets have 31 bits.
    factor = np.uint32(multiplier)
    for k in range(len(stops)):
        indices[k] = np.uint32((np.uint64(np.uint32(np.uint64(stops[k] - first))) * np.uint64(factor)) >> shift)


@kernel
def _increment(indices: NDArray[np.uint32], n: int, partial: NDArray[np.uint32]) -> None:
    for k in range(n):
        partial[indices[k]] += np.uint32(1)
