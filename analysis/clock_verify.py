"""Is a candidate a real peak? Zoom in on it with the tags themselves until the peak is resolved, then ask for the odds.

Each zoom looks at all pairs in the candidate's cell, on a grid finer in offset and skew, and moves to the best cell.
Chance does not survive: a real peak grows by the square root of every zoom, a fluctuation does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log

import numpy as np

from .clock_acquire import Candidate
from .kernels.clock import lag_plane
from .records import FloatArray, Int64Array

FINE = 16
FINEST_BIN_PS = 20.0
FIRST_PAIRS = 400_000
MIN_GAIN_NATS = 14.0


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
    """Follow a candidate down to the width of the response; None as soon as it behaves like chance."""
    density = len(t_a_ps) * len(t_b_ps) / float((t_a_ps[-1] - t_a_ps[0]) * float(t_b_ps[-1] - t_b_ps[0]))
    half, skew_half = 1.5 * candidate.bin_ps, 1.5 * candidate.bin_ps / candidate.span_ps
    span = float(candidate.span_ps)
    span = min(span, max(FIRST_PAIRS / (density * 2 * half), span / 64))
    x, y, t_mid = candidate.lag_ps, candidate.skew, candidate.t_mid_ps
    while True:
        lock = _best_box(t_a_ps, t_b_ps, x, y, t_mid, int(span), half, skew_half)
        if lock.nats < MIN_GAIN_NATS:
            return None
        x, y = lock.offset_ps, lock.skew
        half = max(1.0 * lock.width_ps, 8 * FINEST_BIN_PS)
        skew_half = 1.5 * lock.width_ps / span
        if span >= candidate.span_ps and lock.width_ps <= 4 * FINEST_BIN_PS:
            return lock
        if span >= candidate.span_ps and lock.width_ps >= 4 * _fine_bin(half):
            return lock
        span = min(float(candidate.span_ps), 4 * span)


def _fine_bin(half_ps: float) -> float:
    return max(FINEST_BIN_PS, 2 * half_ps / (4 * FINE))


def _best_box(
    t_a: Int64Array, t_b: Int64Array, x: float, y: float, t_mid: int, span: int, half: float, skew_half: float
) -> Lock:
    bin_ps = _fine_bin(half)
    # The peak may drift by skew_half·span/2 at the ends; the plane must hold it there.
    reach = half + skew_half * span / 2
    n_bins = 2 * ceil(reach / bin_ps)
    steps = ceil(skew_half * span / bin_ps)
    n_blocks = max(4, 2 * steps)
    base = round(x)
    poly = np.array([x - base, y, 0.0])
    plane = lag_plane(t_a, t_b, base, t_mid, poly, t_mid - span // 2, span / n_blocks, n_blocks, bin_ps, n_bins)
    skews = np.linspace(-skew_half, skew_half, 2 * steps + 1)
    sums = _sheared(plane, skews * span / bin_ps)
    background = plane.sum() / n_bins
    best = (-np.inf, 0, 0, 1)
    width = 1
    total = np.cumsum(np.pad(sums, ((0, 0), (1, 0))), axis=1)
    while width <= n_bins // 4:
        boxes = total[:, width:] - total[:, :-width]
        at = int(np.argmax(boxes))
        inside = float(boxes.flat[at])
        nats = _excess_nats(inside, background * width)
        if nats > best[0]:
            best = (nats, at // boxes.shape[1], at % boxes.shape[1], width)
        width *= 2
    nats, row, column, width = best
    inside = float(total[row, column + width] - total[row, column])
    return Lock(
        offset_ps=x + (column + width / 2 - n_bins / 2) * bin_ps,
        skew=y + float(skews[row]),
        t_mid_ps=t_mid,
        span_ps=span,
        width_ps=width * bin_ps,
        inside=int(inside),
        expected=float(background * width),
        nats=nats,
    )


def _sheared(plane: FloatArray, end_shifts: FloatArray) -> FloatArray:
    """Sum of the rows, each moved so that a line drifting ``end_shifts`` bins end to end stands upright: (Y, L)."""
    rows, n = plane.shape
    position = (np.arange(rows) + 0.5) / rows - 0.5
    out = np.zeros((len(end_shifts), n))
    for y, end in enumerate(end_shifts):
        for k, shift in enumerate(np.rint(position * end).astype(int)):
            lo, hi = max(0, -shift), min(n, n - shift)
            out[y, lo:hi] += plane[k, lo + shift : hi + shift]
    return out


def _excess_nats(inside: float, expected: float) -> float:
    """Poisson log-likelihood ratio of ``inside`` counts against ``expected`` (0 when there is no excess)."""
    if inside <= expected or inside <= 0:
        return 0.0
    return inside * log(inside / max(expected, 1e-9)) - (inside - expected)


def sharpen(t_a_ps: Int64Array, t_b_ps: Int64Array, lock: Lock, pairs: int) -> Lock:
    """The lock seen in so short a stretch (about ``pairs`` pairs) that no drift of the clocks blurs it."""
    span = int(lock.span_ps * min(1.0, pairs / max(1, lock.inside)))
    return _best_box(
        t_a_ps, t_b_ps, lock.offset_ps, lock.skew, lock.t_mid_ps, span, lock.width_ps, lock.width_ps / lock.span_ps
    )
