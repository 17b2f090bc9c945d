"""Is the resolved peak the only one? Periodic light, gates and flashes correlate at many lags: none of these is an answer.

A pulsed laser, attempts on a memory or the ticks of a coarse tagger repeat the peak of accidental pairs at every period;
the peak of true pairs must then stand out among its neighbours. A flash seen by each side makes one high peak out of one
moment; true pairs come all along the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, sqrt

import numpy as np

from .clock_verify import Lock, excess_nats
from .kernels.clock import lag_plane
from .records import FloatArray, Int64Array

#: Pairs of the peak that are enough to look for rivals; to compare with one the whole stretch is taken.
PAIRS_TO_LOOK = 1000
PAIRS_TO_COUNT = 3e6
BINS_A_WIDTH = 8
MOST_WIDTHS = 2**14
#: Nearer than this many widths is the peak itself, its tails included.
OWN_WIDTHS = 2.0
#: By how many standard deviations the peak must be the higher: it may have been the best of a million alike.
DECIDED_SIGMAS = 7.0
#: Rivals looked at: flashes and gates of one train are few, and their peaks scatter by more than counting does.
RIVALS = 8
#: ln of the odds, over all lags looked at, that a rival is chance.
RIVAL_NATS = 7.0
TIME_BLOCKS = 64
#: Blocks of time a peak must at least be spread over (inverse participation ratio).
FEWEST_BLOCKS = 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The lock, moved to the highest peak in view, and why it is no answer; ``doubt`` is empty where it is one."""

    lock: Lock
    doubt: str = ""


def settle(t_a_ps: Int64Array, t_b_ps: Int64Array, lock: Lock, others: Sequence[Lock] = ()) -> Verdict:
    """Compare the peak with ``others`` and all near it, and its pairs with the course of time. Both int64 (N,) sorted ps."""
    seen = _in_time(t_a_ps, t_b_ps, lock)
    if not _spread(seen, lock):
        return Verdict(
            lock,
            f"the {lock.inside} coincidences of the highest peak come from a few flashes, not all along the record",
        )
    lasting = [x for x in others if _apart(x, lock) and _spread(_in_time(t_a_ps, t_b_ps, x), x)]
    fullest = lock.t_mid_ps + round((int(np.argmax(seen)) + 0.5 - TIME_BLOCKS / 2) * lock.span_ps / TIME_BLOCKS)
    for _ in range(2):
        rivals = _rivals(t_a_ps, t_b_ps, lock, fullest) + lasting
        if not rivals:
            return Verdict(lock)
        own, *theirs = (_coincidences(t_a_ps, t_b_ps, x) for x in (lock, *rivals))
        best = int(np.argmax(theirs))
        margin = DECIDED_SIGMAS * max(float(np.std(theirs)), sqrt(theirs[best]))
        if own > theirs[best] + margin:
            return Verdict(lock)
        if own > theirs[best] - margin:
            break
        lock = rivals[best]
    return Verdict(
        lock,
        f"the highest peak ({own:.0f} coincidences) is not told from one {abs(rivals[best].offset_ps - lock.offset_ps):.0f} ps "
        f"away ({theirs[best]:.0f}): pulsed or gated light, coarse ticks, or detectors with different delays; record longer, "
        "narrow the range, or give one detector a side",
    )


def _apart(one: Lock, other: Lock) -> bool:
    """Whether they are two peaks, seen at the time of the second."""
    at_ps = one.offset_ps + one.skew * (other.t_mid_ps - one.t_mid_ps)
    return abs(at_ps - other.offset_ps) > OWN_WIDTHS * max(one.width_ps, other.width_ps)


def _rivals(t_a: Int64Array, t_b: Int64Array, lock: Lock, middle_ps: int) -> list[Lock]:
    """The next highest peaks in view beyond chance, in as short a stretch about ``middle_ps`` as shows the lock's own."""
    span = int(lock.span_ps * min(1.0, PAIRS_TO_LOOK / max(1.0, lock.inside - lock.expected)))
    start = middle_ps - span // 2
    clicks_a = int(np.searchsorted(t_a, start + span) - np.searchsorted(t_a, start))
    rate_b = len(t_b) / max(1, int(t_b[-1] - t_b[0]))
    bin_ps = lock.width_ps / BINS_A_WIDTH
    reach = min(MOST_WIDTHS * lock.width_ps, PAIRS_TO_COUNT / (2 * (clicks_a + 1) * rate_b))
    half_bins = max(8 * BINS_A_WIDTH, int(reach / bin_ps))
    counts = _counts(t_a, t_b, lock, start, float(span), 1, bin_ps, 2 * half_bins)[0]
    boxes = np.convolve(counts, np.ones(BINS_A_WIDTH), "valid")
    middle = half_bins - BINS_A_WIDTH // 2
    own = round(OWN_WIDTHS * BINS_A_WIDTH)
    boxes[middle - own : middle + own + 1] = 0
    mean = float(boxes.sum()) / max(1, len(boxes) - 2 * own - 1)
    found: list[Lock] = []
    while len(found) < RIVALS:
        at = int(np.argmax(boxes))
        if excess_nats(float(boxes[at]), mean) < log(len(boxes)) + RIVAL_NATS:
            break
        found.append(replace(lock, offset_ps=lock.offset_ps + (at - middle) * bin_ps))
        boxes[max(0, at - own) : at + own + 1] = 0
    return found


def _coincidences(t_a: Int64Array, t_b: Int64Array, lock: Lock) -> float:
    """In the fullest box of the lock's width within half a width of its line, over its whole stretch."""
    start, bin_ps = lock.t_mid_ps - lock.span_ps // 2, lock.width_ps / BINS_A_WIDTH
    counts = _counts(t_a, t_b, lock, start, float(lock.span_ps), 1, bin_ps, 2 * BINS_A_WIDTH)[0]
    return float(np.convolve(counts, np.ones(BINS_A_WIDTH), "valid").max())


def _in_time(t_a: Int64Array, t_b: Int64Array, lock: Lock) -> FloatArray:
    """Coincidences of the lock's box in each of ``TIME_BLOCKS`` blocks of its stretch: float64 (TIME_BLOCKS,)."""
    start, block = lock.t_mid_ps - lock.span_ps // 2, lock.span_ps / TIME_BLOCKS
    return _counts(t_a, t_b, lock, start, block, TIME_BLOCKS, lock.width_ps, 1)[:, 0]


def _spread(seen: FloatArray, lock: Lock) -> bool:
    """Whether the coincidences come all along the stretch: true as well where they are too few to say."""
    excess = seen - lock.expected / TIME_BLOCKS
    # Counting noise makes squares larger; off with it.
    squares = float(np.sum(excess**2) - np.sum(seen))
    return float(np.sum(excess)) ** 2 >= FEWEST_BLOCKS * squares


def _counts(
    t_a: Int64Array, t_b: Int64Array, lock: Lock, start_ps: int, block_ps: float, blocks: int, bin_ps: float, bins: int
) -> FloatArray:
    """Coincidences float64 (blocks, bins) about the lock's line."""
    base = round(lock.offset_ps)
    poly = np.array([lock.offset_ps - base, lock.skew, 0.0])
    plane = lag_plane(t_a, t_b, base, lock.t_mid_ps, poly, start_ps, block_ps, blocks, bin_ps, bins)
    counts: FloatArray = plane.astype(np.float64)
    return counts
