"""Kernel: clicks shifted channel by channel, put back in order."""

from __future__ import annotations

import numpy as np

from ..records import Int64Array, UInt8Array
from .jit import kernel

_BLOCK = 4096


@kernel
def shift_channels(
    t: Int64Array, channel: UInt8Array, delay_of: Int64Array, moves: int, t_out: Int64Array, channel_out: UInt8Array
) -> int:
    """Writes ``t + delay_of[channel]`` (256 delays) and the channels in order of time; equal times keep their order.

    One pass that carries the latest click along, then insertion: made for delays that let a click overtake few others.
    Returns how many of the clicks are in order: all, or fewer when more than ``moves`` insertions had been needed.
    """
    _carry_latest(t, channel, delay_of, t_out, channel_out)
    overtaken = np.zeros(_BLOCK, np.uint8)
    words = overtaken.view(np.uint64)
    for start in range(1, len(t), _BLOCK):
        later, earlier = t_out[start : start + _BLOCK], t_out[start - 1 :]
        for k in range(len(later)):
            overtaken[k] = later[k] < earlier[k]
        overtaken[len(later) :] = 0
        # Few clicks overtake more than one: look at eight flags at a time.
        for w in range((len(later) + 7) // 8):
            if words[w]:
                for k in range(8 * w, 8 * w + 8):
                    if overtaken[k]:
                        moves = _insert(t_out, channel_out, start + k, moves)
                        if moves < 0:
                            return start + k
    return len(t)


@kernel
def _carry_latest(
    t: Int64Array, channel: UInt8Array, delay_of: Int64Array, t_out: Int64Array, channel_out: UInt8Array
) -> None:
    """One step of bubble sort, without a branch: most early clicks have to pass but one other."""
    if not len(t):
        return
    latest, its_channel = t[0] + delay_of[channel[0]], channel[0]
    for k in range(1, len(t)):
        shifted = t[k] + delay_of[channel[k]]
        differ = (channel[k] ^ its_channel) & np.uint8(-np.int64(shifted < latest))
        t_out[k - 1], channel_out[k - 1] = min(latest, shifted), its_channel ^ differ
        latest, its_channel = max(latest, shifted), channel[k] ^ differ
    t_out[len(t) - 1], channel_out[len(t) - 1] = latest, its_channel


@kernel
def _insert(t: Int64Array, channel: UInt8Array, i: int, moves: int) -> int:
    """Puts click ``i`` and those right after it that are early, too, in their places; returns the moves left.

    The first that is not early ends it: from there on every click is again in order with all before it, if it is with the
    one before it.
    """
    while i < len(t) and t[i] < t[i - 1]:
        t_new, channel_new, j = t[i], channel[i], i
        while j > 0 and t[j - 1] > t_new:
            t[j] = t[j - 1]
            channel[j] = channel[j - 1]
            j -= 1
        t[j] = t_new
        channel[j] = channel_new
        moves -= i - j
        if moves < 0:
            return moves
        i += 1
    return moves


@kernel
def select_channel(t: Int64Array, channel: UInt8Array, wanted: int, t_out: Int64Array) -> int:
    """Writes the times of one channel to ``t_out`` (as long as ``t``) and returns how many there are; no branch."""
    kept = 0
    for i in range(len(t)):
        t_out[kept] = t[i]
        kept += channel[i] == wanted
    return kept
