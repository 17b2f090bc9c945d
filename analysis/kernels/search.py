"""Kernels: where the clicks of one stream fall in another, by a branch-free merge in four interleaved streams.

A plain two-pointer merge waits at every step for its own comparison. Cut into four shares that advance side by side,
the waits overlap: two to three times as many clicks per second.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..records import Int64Array
from .jit import kernel

#: Starts a block; four shares of 1024 keep starts, bounds and offsets in the second-level cache.
BLOCK = 4096

_ONE = np.uint64(1)


@kernel
def first_at_or_after(t: Int64Array, t_ps: int, low: int, high: int) -> int:
    """Index in ``[low, high]`` of the first time not before ``t_ps``; ``high`` if there is none below it."""
    while low < high:
        middle = (low + high) >> 1
        if t[middle] < t_ps:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def lower_bounds(t_a: Int64Array, t_b: Int64Array, shift_ps: int, low: int, bounds: NDArray[np.uint64]) -> int:
    """Writes to ``bounds`` (uint64, as long as ``t_a``) the index of the first ``t_b`` not before each ``t_a + shift``.

    The caller sees to it that the length is a multiple of 4, that ``t_b[-1]`` is not before ``t_a[-1] + shift`` and that
    no bound is below ``low``. Returns the last bound.
    """
    share = len(bounds) // 4
    last = len(t_b) - 1
    end0 = first_at_or_after(t_b, t_a[share - 1] + shift_ps, low, last)
    end1 = first_at_or_after(t_b, t_a[2 * share - 1] + shift_ps, end0, last)
    end2 = first_at_or_after(t_b, t_a[3 * share - 1] + shift_ps, end1, last)
    end3 = first_at_or_after(t_b, t_a[4 * share - 1] + shift_ps, end2, last)
    i0, i1, i2, i3 = np.uint64(0), np.uint64(share), np.uint64(2 * share), np.uint64(3 * share)
    j0, j1, j2, j3 = np.uint64(low), np.uint64(end0), np.uint64(end1), np.uint64(end2)
    for _ in range(share + min(min(end0 - low, end1 - end0), min(end2 - end1, end3 - end2))):
        bounds[i0], bounds[i1], bounds[i2], bounds[i3] = j0, j1, j2, j3
        step0 = np.uint64(t_b[j0] < t_a[i0] + shift_ps)
        step1 = np.uint64(t_b[j1] < t_a[i1] + shift_ps)
        step2 = np.uint64(t_b[j2] < t_a[i2] + shift_ps)
        step3 = np.uint64(t_b[j3] < t_a[i3] + shift_ps)
        j0, j1, j2, j3 = j0 + step0, j1 + step1, j2 + step2, j3 + step3
        i0, i1, i2, i3 = i0 + (_ONE - step0), i1 + (_ONE - step1), i2 + (_ONE - step2), i3 + (_ONE - step3)
    _finish(t_a, t_b, shift_ps, i0, np.uint64(share), j0, bounds)
    _finish(t_a, t_b, shift_ps, i1, np.uint64(2 * share), j1, bounds)
    _finish(t_a, t_b, shift_ps, i2, np.uint64(3 * share), j2, bounds)
    _finish(t_a, t_b, shift_ps, i3, np.uint64(4 * share), j3, bounds)
    return end3


@kernel
def _finish(
    t_a: Int64Array,
    t_b: Int64Array,
    shift_ps: int,
    i: np.uint64,
    stop: np.uint64,
    j: np.uint64,
    bounds: NDArray[np.uint64],
) -> None:
    """The same merge for what is left of one share: starts ``[i, stop)``, from bound ``j`` on."""
    while i < stop:
        bounds[i] = j
        step = np.uint64(t_b[j] < t_a[i] + shift_ps)
        j += step
        i += _ONE - step


@kernel
def count_below(t_a: Int64Array, t_b: Int64Array, shift_ps: int) -> int:
    """Number of pairs with ``t_b - t_a < shift``."""
    n_a, n_b = len(t_a), len(t_b)
    if n_a == 0 or n_b == 0:
        return 0
    # Starts outside [first, stop) lie before or beyond all of t_b once shifted.
    first = first_at_or_after(t_a, t_b[0] - shift_ps, 0, n_a)
    stop = first_at_or_after(t_a, t_b[n_b - 1] - shift_ps + 1, first, n_a)
    total = (n_a - stop) * n_b
    bounds = np.empty(BLOCK, np.uint64)
    low = 0
    while first + BLOCK <= stop:
        low = lower_bounds(t_a[first : first + BLOCK], t_b, shift_ps, low, bounds)
        for i in range(BLOCK):
            total += int(np.int64(bounds[i]))
        first += BLOCK
    for i in range(first, stop):
        while t_b[low] < t_a[i] + shift_ps:
            low += 1
        total += low
    return total
