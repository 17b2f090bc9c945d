"""Correlation histograms g2: linear lags, batch and streaming.

Bins are half-open ``[k·bin, (k+1)·bin)`` over lags ``t_b - t_a`` in ``[-range, +range)``; all pairs count
(start-multi-stop); arithmetic is exact in int64 picoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from .errors import UsageError
from .records import CorrelationHistogram, Int64Array, TagBlock, TimeTags
from .sharing import in_shares
from .streaming import LiveTime, Recent, parts
from .tags import select, select_shared
from .times import as_times_ps, bins_in, span_ps

#: Expected pairs a start from which counting whole windows beats taking the first three stops; measured.
WIDE_PAIRS_A_START = 30.0


def correlate(
    t_a_ps: ArrayLike,
    t_b_ps: ArrayLike,
    *,
    bin_ps: int,
    range_ps: int,
    live_time_ps: int | None = None,
    threads: int = 1,
) -> CorrelationHistogram:
    """Start-multi-stop histogram of the lags ``t_b - t_a``.

    Args:
        t_a_ps, t_b_ps: sorted integer times in ps, (N,) and (M,).
        bin_ps: bin width, ps.
        range_ps: half-width of the lag axis, ps; a multiple of ``bin_ps``.
        live_time_ps: time both sides were live; by default the span from the first to the last click of either side.
        threads: how many threads share the work; the counts do not depend on it.

    Returns:
        CorrelationHistogram with ``2·range/bin`` bins.

    Raises:
        UsageError: float or unsorted times, a bin or range that is not positive, a range that is no multiple of the bin.
    """
    t_a = as_times_ps(t_a_ps, "t_a_ps", threads)
    t_b = t_a if t_b_ps is t_a_ps else as_times_ps(t_b_ps, "t_b_ps", threads)
    counts = np.zeros(2 * bins_in(bin_ps, range_ps), np.int64)
    _add_pairs(t_a, t_b, bin_ps, range_ps, counts, threads)
    live = span_ps(t_a, t_b) if live_time_ps is None else live_time_ps
    return _histogram(counts, bin_ps, len(t_a), len(t_b), live)


def autocorrelate(
    t_ps: ArrayLike, *, bin_ps: int, range_ps: int, live_time_ps: int | None = None, threads: int = 1
) -> CorrelationHistogram:
    """Histogram of the lags between different clicks of one stream; arguments and errors as for ``correlate``.

    Each pair of clicks counts at both its lags; a click is not paired with itself.
    """
    t = as_times_ps(t_ps, "t_ps", threads)
    histogram = correlate(t, t, bin_ps=bin_ps, range_ps=range_ps, live_time_ps=live_time_ps, threads=threads)
    histogram.counts[len(histogram.counts) // 2] -= len(t)
    return histogram


def correlate_slice(
    tags: TimeTags, channel_a: int, channel_b: int, t_start_ps: int, t_stop_ps: int, *, bin_ps: int, range_ps: int
) -> CorrelationHistogram:
    """The share of the slice ``[t_start, t_stop)`` in the histogram of two channels: the pairs whose ``a`` lies in it.

    ``tags`` must hold all clicks from ``t_start - range`` to ``t_stop + range``. The shares of slices that tile the time,
    worked out in any order and place, add up (``combine``) to the histogram of the whole.

    Raises:
        UsageError: as ``correlate``; a slice that ends before it starts.
    """
    if t_stop_ps < t_start_ps:
        raise UsageError(f"the slice ends ({t_stop_ps} ps) before it starts ({t_start_ps} ps)")
    inside = tags.between(t_start_ps, t_stop_ps)
    t_a, n_b = select(inside, channel_a), len(select(inside, channel_b))
    whole = correlate(
        t_a, select(tags, channel_b), bin_ps=bin_ps, range_ps=range_ps, live_time_ps=t_stop_ps - t_start_ps
    )
    if channel_a == channel_b:
        whole.counts[len(whole.counts) // 2] -= len(t_a)
    return replace(whole, singles_b=n_b)


def combine(histograms: Iterable[CorrelationHistogram]) -> CorrelationHistogram:
    """Sum of histograms of separate stretches of time: counts, singles and live times add.

    Raises:
        UsageError: none given, or their lag axes differ.
    """
    parts = list(histograms)
    if not parts:
        raise UsageError("combine needs at least one histogram")
    first = parts[0]
    if any(p.bin_ps != first.bin_ps or len(p.counts) != len(first.counts) for p in parts):
        raise UsageError("only histograms with the same bins can be combined")
    return replace(
        first,
        counts=np.sum([p.counts for p in parts], axis=0),
        singles_a=sum(p.singles_a for p in parts),
        singles_b=sum(p.singles_b for p in parts),
        live_time_ps=sum(p.live_time_ps for p in parts),
    )


class CorrelationStream:
    """Incremental ``correlate`` (``autocorrelate`` when both channels are the same) over the blocks of one tagger.

    Keeps the clicks of the last ``range_ps`` only. Clicks of blocks with overflow do not count.
    """

    def __init__(self, channel_a: int, channel_b: int, *, bin_ps: int, range_ps: int) -> None:
        self.channel_a, self.channel_b = channel_a, channel_b
        self.bin_ps, self.range_ps = bin_ps, range_ps
        self.live_time = LiveTime()
        self._counts = np.zeros(2 * bins_in(bin_ps, range_ps), np.int64)
        self._singles_a = self._singles_b = 0
        self._recent_a, self._recent_b = Recent(), Recent()

    def feed(self, block: TagBlock) -> None:
        """Adds a block. Raises UsageError when it does not follow the last one."""
        for part in parts(self.live_time.feed(block)):
            self._add(part)

    def result(self) -> CorrelationHistogram:
        """The histogram of everything fed so far."""
        counts = self._counts.copy()
        if self.channel_a == self.channel_b:
            counts[len(counts) // 2] -= self._singles_a
        return _histogram(counts, self.bin_ps, self._singles_a, self._singles_b, self.live_time.live_time_ps)

    def _add(self, tags: TimeTags) -> None:
        new_a, new_b = select_shared(tags, self.channel_a), select_shared(tags, self.channel_b)
        self._singles_a += len(new_a)
        self._singles_b += len(new_b)
        recent_a, recent_b = self._recent_a.times_ps, self._recent_b.times_ps
        for a, b in ((new_a, new_b), (recent_a, new_b), (new_a, recent_b)):
            _add_pairs(a, b, self.bin_ps, self.range_ps, self._counts)
        if len(tags):
            oldest_ps = int(tags.t_ps[-1]) - self.range_ps
            self._recent_a.advance(new_a, oldest_ps)
            self._recent_b.advance(new_b, oldest_ps)


def _histogram(
    counts: Int64Array, bin_ps: int, singles_a: int, singles_b: int, live_time_ps: int
) -> CorrelationHistogram:
    half = len(counts) // 2
    lag_ps = np.arange(-half, half, dtype=np.int64) * bin_ps
    return CorrelationHistogram(lag_ps, counts, int(bin_ps), singles_a, singles_b, int(live_time_ps))


def _add_pairs(
    t_a: Int64Array, t_b: Int64Array, bin_ps: int, range_ps: int, counts: Int64Array, threads: int = 1
) -> None:
    """Adds the pairs of two checked streams to ``counts``, in ``threads`` equal shares of ``t_a``."""

    def share(first: int, stop: int) -> Int64Array:
        mine = np.zeros_like(counts)
        a, b = _overlap(t_a[first:stop], t_b, range_ps)
        if len(b):
            _kernel_for(a, b, bin_ps, range_ps)(a, b, mine)
        return mine

    for mine in in_shares(share, len(t_a), threads):
        counts += mine


def _kernel_for(
    t_a: Int64Array, t_b: Int64Array, bin_ps: int, range_ps: int
) -> Callable[[Int64Array, Int64Array, Int64Array], None]:
    """The kernel that is fastest for the pairs a start will have; all give the same counts."""
    from .kernels.division import DIVIDEND_LIMIT, reciprocal
    from .kernels.pairs import any_pairs, narrow_pairs, wide_pairs

    if 2 * range_ps > DIVIDEND_LIMIT:
        return lambda a, b, counts: any_pairs(a, b, range_ps, bin_ps, counts)
    pairs_a_start = len(t_b) * 2 * range_ps / (int(t_b[-1]) - int(t_b[0]) + 2 * range_ps)
    add_pairs = narrow_pairs if pairs_a_start < WIDE_PAIRS_A_START else wide_pairs
    multiplier, shift = map(np.uint64, reciprocal(bin_ps))
    return lambda a, b, counts: add_pairs(a, b, range_ps, bin_ps, multiplier, shift, counts)


def _overlap(t_a: Int64Array, t_b: Int64Array, range_ps: int) -> tuple[Int64Array, Int64Array]:
    """The stretches of both streams that can hold pairs at all, found by bisection."""
    if not len(t_a) or not len(t_b):
        return t_a[:0], t_b[:0]
    a_low, a_high = np.searchsorted(t_a, [t_b[0] - range_ps, t_b[-1] + range_ps + 1])
    t_a = t_a[a_low:a_high]
    if not len(t_a):
        return t_a, t_b[:0]
    b_low, b_high = np.searchsorted(t_b, [t_a[0] - range_ps, t_a[-1] + range_ps + 1])
    return t_a, t_b[b_low:b_high]
