"""Kernels: clicks per channel and intervals between successive clicks."""

from __future__ import annotations

from ..records import Int64Array, UInt8Array
from .jit import kernel


@kernel
def accumulate_channels(channel: UInt8Array, counts: Int64Array) -> None:
    """Adds the clicks of each channel to ``counts`` (int64 (4, 256)); the sum over the rows is the answer.

    Four rows, so that runs of one channel do not wait for each other's increment.
    """
    n = len(channel)
    whole = n - n % 4
    for i in range(0, whole, 4):
        counts[0, channel[i]] += 1
        counts[1, channel[i + 1]] += 1
        counts[2, channel[i + 2]] += 1
        counts[3, channel[i + 3]] += 1
    for i in range(whole, n):
        counts[0, channel[i]] += 1


@kernel
def accumulate_intervals(t: Int64Array, bin_ps: int, counts: Int64Array) -> None:
    """Adds the interval between each click and the next to ``counts``; the last entry takes all longer ones."""
    last = len(counts) - 1
    for i in range(1, len(t)):
        counts[min((t[i] - t[i - 1]) // bin_ps, last)] += 1
