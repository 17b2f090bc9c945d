"""Is a candidate a real peak? Zoom in on it with the tags themselves until the peak is resolved, then ask for the odds.

Each zoom looks at all pairs in the candidate's cell, on a grid finer in offset and skew, and moves to the best cell.
Chance does not survive: a real peak grows by the square root of every zoom, a fluctuation does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log, log2, sqrt

import numpy as np

from .clock_acquire import Candidate
from .kernels.clock import lag_plane, sheared_sums
from .records import FloatArray, Int64Array

CELLS = 32
FIRST_PART = 16
FINEST_BIN_PS = 20.0
NATS_A_ZOOM = 14.0
#: ln of the odds of a cell beyond which it is worth a second look: seven sigmas.
NATS_BEYOND_CHANCE = 25.0
#: Share of the busiest part's clicks with which the middle of the record is still the best place to start.
LEAST_AT_MIDDLE = 0.7
SHARPEN_WIDTHS = 3.0


@dataclass(frozen=True, slots=True)
class Lock:
    """A resolved peak: offset at ``t_mid_ps``, skew, the width that holds most of it, and how unlikely it is.

    Attributes:
        offset_ps, skew: of the line through ``t_mid_ps`` (A's clock), good to ``width_ps`` over ``span_ps``.
        inside, expected: pairs in the box of ``width_ps``, and how many chance would put there.
        nats: Poisson log-likelihood ratio of the peak against chance.
    """

    offset_ps: float
    skew: float
    t_mid_ps: int
    span_ps: int
    width_ps: float
    inside: int
    expected: float
    nats: float


def zoom(t_a_ps: Int64Array, t_b_ps: Int64Array, candidate: Candidate) -> Lock | None:
    """Follow a candidate down to the width of the response; None as soon as it behaves like chance.

    It starts from a part of the candidate's stretch; one too high for chance gets a second look at every other part, as
    the pairs may have come in some of them only.
    """
    first, *others = _parts(t_a_ps, t_b_ps, candidate)
    lock = _zoom_from(t_a_ps, t_b_ps, candidate, first)
    if lock is None and _cell_nats(t_a_ps, t_b_ps, candidate) > NATS_BEYOND_CHANCE:
        looks = (_zoom_from(t_a_ps, t_b_ps, candidate, t_mid) for t_mid in others)
        return next((look for look in looks if look is not None), None)
    return lock


def _cell_nats(t_a: Int64Array, t_b: Int64Array, candidate: Candidate) -> float:
    """Poisson log-likelihood ratio of the candidate's cell; its z alone misleads where a cell holds few coincidences."""
    rate_a, rate_b = (len(t) / max(1, int(t[-1] - t[0])) for t in (t_a, t_b))
    mean = rate_a * rate_b * candidate.bin_ps * candidate.span_ps
    return excess_nats(mean + candidate.z * sqrt(mean), mean)


def _zoom_from(t_a_ps: Int64Array, t_b_ps: Int64Array, candidate: Candidate, t_mid: int) -> Lock | None:
    # A small part of the record at a much finer bin is the cheapest test: the bin gains more than the part loses.
    span = candidate.span_ps / FIRST_PART
    half, skew_half = 1.5 * candidate.bin_ps, 1.5 * candidate.bin_ps / candidate.span_ps
    bin_ps = max(FINEST_BIN_PS, 2 * half / (CELLS * FIRST_PART))
    y = candidate.skew
    x = candidate.lag_ps + y * (t_mid - candidate.t_mid_ps)
    half += skew_half * abs(t_mid - candidate.t_mid_ps)
    while True:
        lock = _best_box(t_a_ps, t_b_ps, _Cell(x, y, t_mid, int(span), half, skew_half), bin_ps)
        if lock.nats < NATS_A_ZOOM:
            return None
        if span >= candidate.span_ps and (lock.width_ps >= 4 * bin_ps or bin_ps <= FINEST_BIN_PS):
            return lock
        x, y = lock.offset_ps, lock.skew
        half = max(lock.width_ps, 8 * FINEST_BIN_PS)
        skew_half = 1.5 * lock.width_ps / span
        span = min(float(candidate.span_ps), 4 * span)
        bin_ps = max(FINEST_BIN_PS, 2 * half / CELLS)


def _parts(t_a: Int64Array, t_b: Int64Array, candidate: Candidate) -> list[int]:
    """Middles of the parts of the candidate's stretch: its own first unless a side clicked less there."""
    edges = np.linspace(-0.5, 0.5, FIRST_PART) * candidate.span_ps * (1 - 1 / FIRST_PART)
    middles = np.append(candidate.t_mid_ps, candidate.t_mid_ps + edges.astype(np.int64))
    width = candidate.span_ps // FIRST_PART
    clicks_a = _count(t_a, middles, width)
    clicks = np.minimum(clicks_a, _count(t_b, middles + round(candidate.lag_ps), width))
    clicks[0] /= LEAST_AT_MIDDLE
    return [int(t) for t in middles[np.argsort(-clicks, kind="stable")]]


def _count(t_ps: Int64Array, middles_ps: Int64Array, width_ps: int) -> FloatArray:
    starts = np.searchsorted(t_ps, middles_ps - width_ps // 2)
    return (np.searchsorted(t_ps, middles_ps + width_ps // 2) - starts).astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Cell:
    """The box in offset and skew a zoom looks into: a line through ``x_ps`` at ``t_mid_ps``, over ``span_ps``."""

    x_ps: float
    skew: float
    t_mid_ps: int
    span_ps: int
    half_ps: float
    skew_half: float


def _best_box(t_a: Int64Array, t_b: Int64Array, cell: _Cell, bin_ps: float) -> Lock:
    # The peak may drift by skew_half·span/2 at the ends; the plane must hold it there.
    drift = cell.skew_half * cell.span_ps
    n_bins = 2 * ceil((cell.half_ps + drift / 2) / bin_ps)
    steps = ceil(drift / bin_ps)
    n_blocks = max(4, 2 * steps)
    base = round(cell.x_ps)
    poly = np.array([cell.x_ps - base, cell.skew, 0.0])
    start, block = cell.t_mid_ps - cell.span_ps // 2, cell.span_ps / n_blocks
    plane = lag_plane(t_a, t_b, base, cell.t_mid_ps, poly, start, block, n_blocks, bin_ps, n_bins)
    skews = np.linspace(-cell.skew_half, cell.skew_half, 2 * steps + 1)
    total = np.cumsum(np.pad(sheared_sums(plane, skews * cell.span_ps / bin_ps), ((0, 0), (1, 0))), axis=1)
    background = plane.sum() / n_bins
    nats, row, column, width = max(_highest(total, background, 2**k) for k in range(int(log2(n_bins / 4)) + 1))
    return Lock(
        offset_ps=cell.x_ps + (column + width / 2 - n_bins / 2) * bin_ps,
        skew=cell.skew + float(skews[row]),
        t_mid_ps=cell.t_mid_ps,
        span_ps=cell.span_ps,
        width_ps=width * bin_ps,
        inside=int(total[row, column + width] - total[row, column]),
        expected=float(background * width),
        nats=nats,
    )


def _highest(total: Int64Array, background: float, width: int) -> tuple[float, int, int, int]:
    """Nats, row, column and width of the fullest box of ``width`` bins in running sums ``total`` int64 (Y, L + 1)."""
    boxes = total[:, width:] - total[:, :-width]
    row, column = divmod(int(np.argmax(boxes)), boxes.shape[1])
    return excess_nats(float(boxes[row, column]), background * width), row, column, width


def excess_nats(inside: float, expected: float) -> float:
    """Poisson log-likelihood ratio of ``inside`` counts against ``expected`` (0 when there is no excess)."""
    if inside <= expected or inside <= 0:
        return 0.0
    return inside * log(inside / max(expected, 1e-9)) - (inside - expected)


def sharpen(t_a_ps: Int64Array, t_b_ps: Int64Array, lock: Lock, pairs: int) -> Lock:
    """The lock seen in so short a stretch (about ``pairs`` pairs) that no drift of the clocks blurs it.

    The lock as it is where the short stretch does not hold its due: then a fluctuation has taken the peak's place.
    """
    share = min(1.0, pairs / max(1, lock.inside))
    # Wide enough to see the background beside the peak.
    half = SHARPEN_WIDTHS * lock.width_ps
    span = int(lock.span_ps * share)
    cell = _Cell(lock.offset_ps, lock.skew, lock.t_mid_ps, span, half, lock.width_ps / lock.span_ps)
    seen = _best_box(t_a_ps, t_b_ps, cell, max(FINEST_BIN_PS, 2 * lock.width_ps / CELLS))
    due = share * (lock.inside - lock.expected)
    return seen if seen.inside - seen.expected > 0.5 * due else lock
