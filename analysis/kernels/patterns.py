"""Kernel: which channels fire within a window after each click."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from ..records import Int64Array, UInt8Array
from .jit import kernel

#: Marks channels that do not take part in the table from channel to slot.
NO_SLOT = 255
_BLOCK = 4096
_ONE = np.uint64(1)

if TYPE_CHECKING:

    def _trailing_zeros(word: np.uint64) -> int: ...

else:

    @intrinsic
    def _trailing_zeros(context, word):
        """Number of the lowest bit of ``word``, not 0, that is set."""

        def build(target, builder, signature, arguments):
            return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

        return types.int64(types.uint64), build


@kernel
def accumulate_coincidences(
    t: Int64Array,
    channel: UInt8Array,
    slot_of: UInt8Array,
    window_ps: int,
    first: int,
    stop: int,
    pairs: Int64Array,
    patterns: Int64Array,
) -> None:
    """Counts what clicks ``[first, stop)`` see after them: two-folds, and the set of slots within ``window_ps``.

    ``slot_of`` (256,) gives the slot of each channel. ``pairs`` (slots, slots) takes each pair of different slots
    p < q with ``-w/2 <= t_q - t_p < w/2`` at [p, q]. ``patterns`` (slots, 2^slots) takes each anchor at [its slot, the
    set of slots it sees, itself included], but only where the next click of any channel lies within the window: the
    lonely anchors are what is missing to the number of clicks.
    """
    near = np.zeros(_BLOCK, np.uint8)
    words = near.view(np.uint64)
    for start in range(first, stop, _BLOCK):
        earlier, later = t[start : min(start + _BLOCK, stop)], t[start + 1 :]
        known = min(len(earlier), len(later))
        for k in range(known):
            near[k] = later[k] < earlier[k] + window_ps
        near[known:] = 0
        # Few clicks are near the next one: look at eight flags at a time.
        for w in range((known + 7) // 8):
            word = words[w]
            while word:
                anchor = start + 8 * w + (_trailing_zeros(word) >> 3)
                _look_ahead(t, channel, slot_of, window_ps, anchor, pairs, patterns)
                word &= word - _ONE


@kernel
def _look_ahead(
    t: Int64Array,
    channel: UInt8Array,
    slot_of: UInt8Array,
    window_ps: int,
    anchor: int,
    pairs: Int64Array,
    patterns: Int64Array,
) -> None:
    slot = slot_of[channel[anchor]]
    if slot == NO_SLOT:
        return
    pattern = 1 << slot
    for j in range(anchor + 1, len(t)):
        lag = t[j] - t[anchor]
        if lag >= window_ps:
            break
        other = slot_of[channel[j]]
        if other == NO_SLOT:
            continue
        pattern |= 1 << other
        # The later click is q of the pair (p, q): lag < w/2; or it is p: -lag >= -w/2. Exact for odd windows. No branch.
        inside = (other != slot) & (2 * lag - (other < slot) < window_ps)
        pairs[min(slot, other), max(slot, other)] += inside
    patterns[slot, pattern] += 1
