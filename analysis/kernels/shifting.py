"""Kernel: clicks shifted channel by channel, put back in order."""

from __future__ import annotations

from ..records import Int64Array, UInt8Array
from .jit import kernel


@kernel
def shift_channels(
    t: Int64Array, channel: UInt8Array, delay_of: Int64Array, moves: int, t_out: Int64Array, channel_out: UInt8Array
) -> int:
    """Writes ``t + delay_of[channel]`` (256 delays) and the channels in order of time; equal times keep their order.

    Insertion, so made for delays that let a click overtake few others. Returns how many of the clicks were written: all,
    or fewer when more than ``moves`` overtakings had been needed.
    """
    for i in range(len(t)):
        shifted = t[i] + delay_of[channel[i]]
        j = i
        while j > 0 and t_out[j - 1] > shifted:
            t_out[j] = t_out[j - 1]
            channel_out[j] = channel_out[j - 1]
            j -= 1
        t_out[j] = shifted
        channel_out[j] = channel[i]
        moves -= i - j
        if moves < 0:
            return i + 1
    return len(t)


@kernel
def select_channel(t: Int64Array, channel: UInt8Array, wanted: int, t_out: Int64Array) -> int:
    """Writes the times of one channel to ``t_out`` (as long as ``t``) and returns how many there are; no branch."""
    kept = 0
    for i in range(len(t)):
        t_out[kept] = t[i]
        kept += channel[i] == wanted
    return kept
