"""Kernels: pairs of two sorted streams by their lag ``t_b - t_a``, in exact integer arithmetic.

The stops of each start are found by a merge. A plain one waits at every step for its own comparison; cut into four shares
that advance side by side, without a branch, the waits overlap: two to three times as many clicks per second.

The three histograms add every pair with ``-range <= t_b - t_a < range`` to ``counts`` (int64 (2·range/bin,)) and agree to the count.
``narrow_pairs`` is for a few pairs a start, ``wide_pairs`` for many; both need the offset ``t_b - t_a + range`` to fit 31
bits, so that ``(offset·multiplier) >> shift`` divides it by the bin exactly. ``any_pairs`` divides and takes any range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from ..records import Int64Array
from .jit import kernel

#: Starts a block: four long shares, whose starts, bounds and offsets still stay in the second-level cache.
BLOCK = 16384
_ONE = np.uint64(1)
#: Stops of a start that are taken without asking.
_TAKEN = 4
#: Bin indices computed before they are counted, and the granule they are computed in.
_BUFFER, _GRANULE = 2048, 8

if TYPE_CHECKING:

    def _take_four(
        t: Int64Array, at: np.uint64, first: int, width: np.uint64, offsets: NDArray[np.uint32], to: np.uint64
    ) -> np.uint64: ...

else:
    _TIMES, _OFFSETS = ir.VectorType(ir.IntType(64), _TAKEN), ir.VectorType(ir.IntType(32), _TAKEN)

    @intrinsic
    def _take_four(context, t, at, first, width, offsets, to):
        """``t[at : at + 4] - first``, to 32 bits, at ``offsets[to : to + 4]``; how many are below ``width``.

        One vector, as portable LLVM: numba finds no such step in a loop over four.
        """

        def build(target, builder, signature, arguments):
            source, index, start, limit, out, where = arguments
            lane, undefined = ir.IntType(32), ir.Constant(_TIMES, ir.Undefined)

            def pointer(number, array, place, kind):
                data = cgutils.create_struct_proxy(signature.args[number])(target, builder, array).data
                return builder.bitcast(builder.gep(data, [place]), kind.as_pointer())

            def every(value):
                one = builder.insert_element(undefined, value, ir.Constant(lane, 0))
                return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(lane, _TAKEN), None))

            times = builder.load(pointer(0, source, index, _TIMES), align=1)
            found = builder.sub(times, every(start))
            builder.store(builder.trunc(found, _OFFSETS), pointer(4, out, where, _OFFSETS), align=1)
            inside = builder.bitcast(builder.icmp_unsigned("<", found, every(limit)), ir.IntType(_TAKEN))
            return builder.ctpop(builder.zext(inside, ir.IntType(64)))

        return types.uint64(t, types.uint64, types.int64, types.uint64, offsets, types.uint64), build


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


@kernel
def _bounded(t_a: Int64Array, t_b: Int64Array, shift_ps: int, start: int, low: int, bounds: NDArray[np.uint64]) -> int:
    """Writes the lower bounds of the next starts, up to a block of them, from ``start`` on; returns how many.

    Only of starts that have ``_TAKEN`` stops from their bound on: the few others of a stretch are left to the caller.
    The last start of ``t_a`` must have a bound.
    """
    n = min(BLOCK, (len(t_a) - start) // 4 * 4)
    if not n:
        return 0
    lower_bounds(t_a[start : start + n], t_b, shift_ps, low, bounds[:n])
    while n and bounds[n - 1] + np.uint64(_TAKEN) > np.uint64(len(t_b)):
        n -= 1
    return n


@kernel
def count_between(t_a: Int64Array, t_b: Int64Array, low_ps: int, high_ps: int) -> int:
    """Number of pairs with ``low <= t_b - t_a < high``; made for few pairs a start.

    The first four stops of every start are looked at without asking; only further ones need a loop.
    """
    n_b = len(t_b)
    if not n_b:
        return 0
    # Starts outside lie too early or too late for all stops.
    t_a = t_a[first_at_or_after(t_a, t_b[0] - high_ps, 0, len(t_a)) :]
    t_a = t_a[: first_at_or_after(t_a, t_b[n_b - 1] - low_ps + 1, 0, len(t_a))]
    width, end = np.uint64(high_ps - low_ps), np.uint64(n_b)
    bounds, unused = np.empty(BLOCK, np.uint64), np.empty(_TAKEN, np.uint32)
    total, start, low = 0, 0, 0
    n = _bounded(t_a, t_b, low_ps, start, low, bounds)
    while n:
        starts, found = t_a[start : start + n], np.uint64(0)
        for i in range(n):
            first = starts[i] + low_ps
            inside = _take_four(t_b, bounds[i], first, width, unused, np.uint64(0))
            found += inside
            if inside == _TAKEN:
                j = bounds[i] + np.uint64(_TAKEN)
                while j < end and np.uint64(t_b[j] - first) < width:
                    found += _ONE
                    j += _ONE
        total += int(np.int64(found))
        start, low = start + n, int(np.int64(bounds[n - 1]))
        n = _bounded(t_a, t_b, low_ps, start, low, bounds)
    for i in range(start, len(t_a)):
        while low < n_b and t_b[low] < t_a[i] + low_ps:
            low += 1
        j = low
        while j < n_b and t_b[j] < t_a[i] + high_ps:
            total += 1
            j += 1
    return total


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
    """Takes the first four stops of every start without asking, keeps those in range, loops only beyond them."""
    n_b = len(t_b)
    if not n_b:
        return
    t_a = t_a[: first_at_or_after(t_a, t_b[n_b - 1] + range_ps + 1, 0, len(t_a))]  # the others lie beyond all stops
    width, end = np.uint64(2 * range_ps), np.uint64(n_b)
    bounds = np.empty(BLOCK, np.uint64)
    offsets = np.empty(_TAKEN * BLOCK + _TAKEN, np.uint32)
    start = low = 0
    n = _bounded(t_a, t_b, -range_ps, start, low, bounds)
    while n:
        starts, kept = t_a[start : start + n], np.uint64(0)
        for i in range(n):
            first = starts[i] - range_ps
            inside = _take_four(t_b, bounds[i], first, width, offsets, kept)
            kept += inside
            if inside == _TAKEN:
                j = bounds[i] + np.uint64(_TAKEN)
                while j < end and np.uint64(t_b[j] - first) < width:
                    counts[(np.uint64(t_b[j] - first) * multiplier) >> shift] += 1
                    j += _ONE
        for i in range(kept):
            counts[(np.uint64(offsets[i]) * multiplier) >> shift] += 1
        start, low = start + n, int(np.int64(bounds[n - 1]))
        n = _bounded(t_a, t_b, -range_ps, start, low, bounds)
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
    """Computes the bin indices of a start's whole window as one vector, then counts them: 16-bit counts stay in cache."""
    if not len(t_b):
        return
    full = first_at_or_after(t_a, t_b[-1] - range_ps + 1, 0, len(t_a))  # whose window ends before the last stop
    lows, highs = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    indices = np.empty(_BUFFER + _GRANULE, np.uint32)
    partial = np.zeros(len(counts), np.uint16)
    start = low = high = held = 0
    while start + 4 <= full:
        n = min(BLOCK, (full - start) // 4 * 4)
        starts = t_a[start : start + n]
        low = lower_bounds(starts, t_b, -range_ps, low, lows[:n])
        high = lower_bounds(starts, t_b, range_ps, high, highs[:n])
        for i in range(n):
            j, stop = int(np.int64(lows[i])), int(np.int64(highs[i]))
            while j < stop:
                new = min(stop - j, _BUFFER - held)
                # Whole granules: what they write beyond is overwritten by the next start or never counted.
                padded = (new + _GRANULE - 1) // _GRANULE * _GRANULE
                _bin_indices(
                    t_b[j : j + padded], starts[i] - range_ps, multiplier, shift, indices[held : held + padded]
                )
                held, j = held + new, j + new
                if held == _BUFFER:
                    _increment(indices, held, partial, counts)
                    held = 0
        start += n
    _increment(indices, held, partial, counts)
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
def _increment(indices: NDArray[np.uint32], n: int, partial: NDArray[np.uint16], counts: Int64Array) -> None:
    """Counts in 16 bits; what they overflow by goes to ``counts``."""
    for k in range(n):
        bin_ = indices[k]
        count = np.uint16(partial[bin_] + np.uint16(1))
        partial[bin_] = count
        if count == 0:
            counts[bin_] += 1 << 16
