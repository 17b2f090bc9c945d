"""PicoQuant TTTR records, 32 bits each: what they mean, decoded and encoded.

Bit layouts after PicoQuant's public demo code. HydraHarp and its successors: ``special 1 | channel 6 | 25 bits``, the
25 bits being the time (T2) or ``dtime 15 | nsync 10`` (T3). PicoHarp: ``channel 4 | 28 bits``, the time (T2) or
``dtime 12 | nsync 16`` (T3). Overflow records carry the counter past its width; only the newer kinds count several.

Channels as erbia numbers them: 0 the sync input, 1 to 64 the inputs, ``MARKER + m`` an external marker with bits m.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numba
import numpy as np
from numpy.typing import NDArray

from ..records import Int64Array, UInt8Array

UInt16Array = NDArray[np.uint16]
UInt32Array = NDArray[np.uint32]

MARKER = 240
_MAX_TICKS = 1 << 62

#: Overflows we let one record stand for: readers that multiply count and wrap in 32 bits fail beyond 127 in T2.
_MOST_COUNTED = 127

#: Records looked at together: few enough that most groups hold no overflow.
_GROUP = np.uint64(64)
_ONE = np.uint64(1)

#: What a decoder stops at; ``REASONS[code]`` says it in words.
SOUND, UNKNOWN, BACKWARDS, TOO_LATE = 0, 1, 2, 3
REASONS = {
    UNKNOWN: "no such kind of record",
    BACKWARDS: "its time lies before that of the record before it",
    TOO_LATE: "the time counter exceeds 62 bits",
}


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of TTTR record.

    Attributes:
        code: ``TTResultFormat_TTTRRecType`` in the header.
        mode: 2 (absolute times) or 3 (time since a numbered sync).
        family: which bit layout.
        wrap: ticks one overflow stands for.
        counted: whether an overflow record may stand for several.
    """

    code: int
    name: str
    mode: Literal[2, 3]
    family: Literal["pico", "hydra"]
    wrap: int
    counted: bool

    @property
    def tick_bits(self) -> int:
        """Width of the counter of ticks (T2) or syncs (T3)."""
        if self.family == "pico":
            return 28 if self.mode == 2 else 16
        return 25 if self.mode == 2 else 10

    @property
    def dtime_bits(self) -> int:
        """Width of the time since the sync; 0 in T2."""
        return (28 if self.family == "pico" else 25) - self.tick_bits


KINDS = {
    kind.code: kind
    for kind in (
        RecordKind(0x00010203, "PicoHarp T2", 2, "pico", 210698240, False),
        RecordKind(0x00010303, "PicoHarp T3", 3, "pico", 1 << 16, False),
        RecordKind(0x00010204, "HydraHarp 1 T2", 2, "hydra", 33552000, False),
        RecordKind(0x00010304, "HydraHarp 1 T3", 3, "hydra", 1 << 10, False),
        RecordKind(0x01010204, "HydraHarp 2 T2", 2, "hydra", 1 << 25, True),
        RecordKind(0x01010304, "HydraHarp 2 T3", 3, "hydra", 1 << 10, True),
        RecordKind(0x00010205, "TimeHarp 260 N T2", 2, "hydra", 1 << 25, True),
        RecordKind(0x00010305, "TimeHarp 260 N T3", 3, "hydra", 1 << 10, True),
        RecordKind(0x00010206, "TimeHarp 260 P T2", 2, "hydra", 1 << 25, True),
        RecordKind(0x00010306, "TimeHarp 260 P T3", 3, "hydra", 1 << 10, True),
        RecordKind(0x00010207, "MultiHarp T2", 2, "hydra", 1 << 25, True),
        RecordKind(0x00010307, "MultiHarp T3", 3, "hydra", 1 << 10, True),
    )
}


@numba.njit(nogil=True, cache=True)
def _clicks_only(words, i, tick_bits, base, last, ticks, channel, dtime, k):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Decodes ``_GROUP`` records from ``i`` on if they are clicks in order of time, without a step that branches.

    Says whether they are. Unsigned indices spare numba the question whether they are negative.
    """
    mask = np.uint32((1 << tick_bits) - 1)
    other, backwards = np.uint32(0), np.uint32(0)
    for j in range(_GROUP):
        other |= words[i + j]
    for j in range(_GROUP - _ONE):
        backwards |= np.uint32((words[i + j + _ONE] & mask) < (words[i + j] & mask))
    if other >= np.uint32(2147483648) or backwards or base + np.int64(words[i] & mask) < last:
        return False
    for j in range(_GROUP):
        ticks[k + j] = base + np.int64(words[i + j] & mask)
    for j in range(_GROUP):
        channel[k + j] = np.uint8(words[i + j] >> np.uint32(25)) + np.uint8(1)
    if len(dtime):
        for j in range(_GROUP):
            dtime[k + j] = np.uint16((words[i + j] & np.uint32(33554431)) >> np.uint32(tick_bits))
    return True


@numba.njit(nogil=True, cache=True)
def _hydra(words, tick_bits, wrap, counted, base, last, ticks, channel, dtime):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Decodes until the end or the first unsound record: (clicks, base, last, records done, state)."""
    tick_mask = (1 << tick_bits) - 1
    k = i = 0
    while i < len(words):
        stop = min(i + np.int64(_GROUP), len(words))
        if stop - i == np.int64(_GROUP) and _clicks_only(
            words, np.uint64(i), tick_bits, base, last, ticks, channel, dtime, np.uint64(k)
        ):
            i, k = stop, k + np.int64(_GROUP)
            last = ticks[k - 1]
            continue
        while i < stop:
            word = np.int64(words[i])
            number = (word >> 25) & 63
            tick = word & tick_mask
            if word >= 2147483648 and number == 63:
                base += wrap * tick if counted and tick else wrap
                if base > _MAX_TICKS:
                    return k, base, last, i, TOO_LATE
                i += 1
                continue
            if word < 2147483648:
                number += 1
            elif 1 <= number <= 15:
                number += MARKER
            elif number != 0 or tick_bits != 25:
                return k, base, last, i, UNKNOWN
            now = base + tick
            if now < last:
                return k, base, last, i, BACKWARDS
            last = now
            ticks[k] = now
            channel[k] = number
            if len(dtime):
                dtime[k] = (word & 33554431) >> tick_bits
            k += 1
            i += 1
    return k, base, last, len(words), SOUND


@numba.njit(nogil=True, cache=True)
def _pico(words, tick_bits, wrap, base, last, ticks, channel, dtime):  # type: ignore[no-untyped-def]  # pragma: no cover
    """As ``_hydra``. A T2 marker carries its bits in the lowest 4 bits of its time, which are cleared."""
    tick_mask = (1 << tick_bits) - 1
    k = 0
    for i in range(len(words)):
        word = np.int64(words[i])
        number = word >> 28
        tick = word & tick_mask
        since = (word & 268435455) >> tick_bits
        if number == 15:
            mark = (tick if tick_bits == 28 else since) & 15
            if mark == 0:
                base += wrap
                if base > _MAX_TICKS:
                    return k, base, last, i, TOO_LATE
                continue
            number = MARKER + mark
            since = 0
            if tick_bits == 28:
                tick -= mark
        elif number > 4 or (number == 0 and tick_bits == 16):
            return k, base, last, i, UNKNOWN
        now = base + tick
        if now < last and number > MARKER and now + 15 >= last:
            now = last
        if now < last:
            return k, base, last, i, BACKWARDS
        last = now
        ticks[k] = now
        channel[k] = number
        if len(dtime):
            dtime[k] = since
        k += 1
    return k, base, last, len(words), SOUND


@dataclass(slots=True)
class Decoder:
    """Carries the time counter from batch to batch of records."""

    kind: RecordKind
    base: int = 0
    last: int = 0

    def decode(
        self, words: UInt32Array, ticks: Int64Array, channel: UInt8Array, dtime: UInt16Array
    ) -> tuple[int, int, int]:
        """Fills ``ticks``, ``channel`` and, in T3, ``dtime`` (each at least as long as ``words``).

        Returns:
            Clicks filled in, records used, and SOUND or why the next record was refused.
        """
        kind = self.kind
        if kind.family == "hydra":
            found = _hydra(words, kind.tick_bits, kind.wrap, kind.counted, self.base, self.last, ticks, channel, dtime)
        else:
            found = _pico(words, kind.tick_bits, kind.wrap, self.base, self.last, ticks, channel, dtime)
        k, self.base, self.last, done, state = (int(value) for value in found)
        return k, done, state


def encode(
    kind: RecordKind, ticks: Int64Array, channel: UInt8Array, dtime: Int64Array, base: int
) -> tuple[UInt32Array, int]:
    """Records of clicks in order of time, with the overflow records they need.

    Args:
        kind: the kind of record; the clicks must fit it (see ``ptu.write_ptu``, which checks).
        ticks, channel, dtime: int64, uint8, int64, each (N,); dtime is 0 in T2.
        base: multiple of ``kind.wrap`` already passed.

    Returns:
        The records, uint32, and the new base.
    """
    passed = ticks // kind.wrap
    new = np.diff(passed, prepend=base // kind.wrap)
    events = _events(kind, ticks - passed * kind.wrap, channel.astype(np.int64), dtime)
    if kind.counted:
        overflows, counts = _counted_overflows(new, _MOST_COUNTED)
        words = np.repeat(events, overflows + 1)
        first = np.cumsum(overflows + 1) - overflows - 1
        is_overflow = np.ones(len(words), bool)
        is_overflow[first + overflows] = False
        words[is_overflow] = (127 << 25) | counts
    else:
        words = np.repeat(events, new + 1)
        is_overflow = np.ones(len(words), bool)
        is_overflow[np.cumsum(new + 1) - 1] = False
        words[is_overflow] = (15 << 28) if kind.family == "pico" else (127 << 25)
    return words.astype(np.uint32), int(passed[-1] * kind.wrap) if len(ticks) else base


def _counted_overflows(new: Int64Array, most: int) -> tuple[Int64Array, Int64Array]:
    """How many overflow records before each click, and the count in each of them."""
    records = -(-new // most)
    counts = np.full(int(records.sum()), most, np.int64)
    ends = np.cumsum(records)[records > 0] - 1
    counts[ends] = (new - (records - 1) * most)[records > 0]
    return records, counts


def _events(kind: RecordKind, tick: Int64Array, number: Int64Array, dtime: Int64Array) -> Int64Array:
    low = tick | (dtime << kind.tick_bits)
    marker = number > MARKER
    if kind.family == "hydra":
        special = marker | (number == 0)
        count = np.where(marker, number - MARKER, np.where(special, 0, number - 1))
        words: Int64Array = low | (count << 25) | (special << 31)
        return words
    marked = low | ((number - MARKER) << (0 if kind.mode == 2 else 16))
    return np.where(marker, marked | (15 << 28), low | (number << 28))
