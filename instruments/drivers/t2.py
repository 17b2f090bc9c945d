"""Decoding PicoQuant T2 records (MultiHarp, HydraHarp 2, TimeHarp 260): pure, on arrays.

One record is 32 bits: special (1), channel (6), time (25). Special with channel 63 is an overflow of the time counter, its
time field the number of wraps (0 means 1, as old firmware writes); special with channel 0 is a sync pulse; other specials
are markers. Not special: a click at input ``channel + 1``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...analysis.records import Int64Array, UInt8Array

WRAP = 1 << 25
OVERFLOW_CHANNEL = 63
SYNC = 0


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Clicks of a stretch of records.

    Attributes:
        ticks: int64 (N,), non-decreasing, in units of the base resolution.
        channel: uint8 (N,), 0 sync, 1 … the inputs.
        wraps: time counter wraps since the start, to be handed to the next call.
        last_tick: time reached, also by overflow records alone.
    """

    ticks: Int64Array
    channel: UInt8Array
    wraps: int
    last_tick: int


def decode_t2(records: NDArray[np.uint32], wraps: int = 0) -> Decoded:
    """Clicks in ``records`` (uint32 (N,)) after ``wraps`` wraps of the time counter."""
    special = records >> np.uint32(31) == 1
    field = (records >> np.uint32(25)) & np.uint32(0x3F)
    time = (records & np.uint32(WRAP - 1)).astype(np.int64)
    overflow = special & (field == OVERFLOW_CHANNEL)
    wraps_so_far = wraps + np.cumsum(np.where(overflow, np.maximum(time, 1), 0))
    ticks = wraps_so_far * WRAP + np.where(overflow, 0, time)
    click = ~special | (special & (field == SYNC))
    channel = np.where(special, SYNC, field + np.uint32(1)).astype(np.uint8)
    if not len(records):
        return Decoded(ticks, channel, wraps, wraps * WRAP)
    return Decoded(ticks[click], channel[click], int(wraps_so_far[-1]), int(ticks[-1]))
