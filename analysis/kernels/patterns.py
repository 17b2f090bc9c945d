"""Kernels: which channels fire within a window after each click."""

from __future__ import annotations

from ..records import Int64Array, UInt8Array
from .jit import kernel


@kernel
def accumulate_patterns(t: Int64Array, slot: UInt8Array, window_ps: int, anchors: int, counts: Int64Array) -> None:
    """Adds the first ``anchors`` clicks to ``counts`` (int64 (slots, 2^slots)) at [slot of the click, channels seen].

    A channel is seen by an anchor when it fires at or after it in the stream and less than ``window_ps`` later. The
    anchor sees itself. Slots are below the number of rows of ``counts``.
    """
    n = len(t)
    for i in range(anchors):
        stop = t[i] + window_ps
        pattern = 1 << slot[i]
        j = i + 1
        while j < n and t[j] < stop:
            pattern |= 1 << slot[j]
            j += 1
        counts[slot[i], pattern] += 1
