"""g2 on any lag axis, e.g. logarithmic, from microseconds to minutes: pairs are counted, not listed.

The number of pairs below a lag is one merge of the two streams, so the cost is one pass a bin edge, however many pairs a
bin holds (the idea of Laurence, Fore and Huser, Opt. Lett. 31, 829 (2006)). Counts are exact in int64 picoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .errors import UsageError
from .records import FloatArray, Int64Array, TagBlock
from .streaming import LiveTime, Recent
from .tags import select_shared
from .times import RANGE_LIMIT_PS, as_times_ps, span_ps


@dataclass(frozen=True, slots=True, eq=False)
class LagCorrelation:
    """Pairs by lag ``t_b - t_a``, bin k half-open ``[edges[k], edges[k+1])``.

    Attributes:
        edges_ps: int64 (B+1,), rising.
        counts: int64 (B,).
        singles_a, singles_b: clicks that entered on each side.
        live_time_ps: time both sides were live.
    """

    edges_ps: Int64Array
    counts: Int64Array
    singles_a: int
    singles_b: int
    live_time_ps: int

    def g2(self) -> FloatArray:
        """Counts over what independent sides would give, float64 (B,); nan where that is nothing.

        Long lags lose the pairs that leave the measurement: a bin at lag ``tau`` expects
        ``n_a n_b width (T - |tau|) / T^2``, with the mean ``|tau|`` of the bin.
        """
        edges = self.edges_ps.astype(np.float64)
        # The integral of |tau| over the bin is the difference of tau·|tau|/2 at its edges.
        overlap = self.live_time_ps * np.diff(edges) - np.diff(edges * np.abs(edges)) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = self.singles_a * self.singles_b * overlap / float(self.live_time_ps) ** 2
            ratio: FloatArray = np.where(expected > 0, self.counts / expected, np.nan)
        return ratio


def log_edges(first_ps: int, last_ps: int, bins_per_decade: int) -> Int64Array:
    """Rising integer edges from ``first_ps`` to ``last_ps``, evenly spaced in the logarithm; int64.

    Edges that round to the same picosecond are joined.

    Raises:
        UsageError: not ``0 < first < last``, or no bins.
    """
    if not 0 < first_ps < last_ps or bins_per_decade < 1:
        raise UsageError(
            f"need 0 < first_ps < last_ps and bins_per_decade >= 1, got {first_ps}, {last_ps}, {bins_per_decade}"
        )
    steps = max(round(np.log10(last_ps / first_ps) * bins_per_decade), 1)
    edges = np.rint(np.geomspace(first_ps, last_ps, steps + 1)).astype(np.int64)
    edges[[0, -1]] = first_ps, last_ps
    return np.unique(edges)


def correlate_lags(
    t_a_ps: ArrayLike, t_b_ps: ArrayLike, edges_ps: ArrayLike, *, live_time_ps: int | None = None
) -> LagCorrelation:
    """Pairs of two streams in each bin of lag ``t_b - t_a``.

    Args:
        t_a_ps, t_b_ps: sorted integer times in ps, (N,) and (M,).
        edges_ps: rising integer bin edges in ps, (B+1,); negative lags are welcome. See ``log_edges``.
        live_time_ps: time both sides were live; by default the span from the first to the last click of either side.

    Raises:
        UsageError: float or unsorted times, edges that do not rise.
    """
    t_a, t_b, edges = as_times_ps(t_a_ps, "t_a_ps"), as_times_ps(t_b_ps, "t_b_ps"), _checked_edges(edges_ps)
    live = span_ps(t_a, t_b) if live_time_ps is None else live_time_ps
    return LagCorrelation(edges, _pairs_by_lag(t_a, t_b, edges), len(t_a), len(t_b), live)


class LagCorrelationStream:
    """Incremental ``correlate_lags`` over the blocks of one tagger; keeps the clicks of the longest lag.

    Clicks of blocks with overflow do not count. With the same channel twice, a click is not paired with itself.
    """

    def __init__(self, channel_a: int, channel_b: int, edges_ps: ArrayLike) -> None:
        self.channel_a, self.channel_b = channel_a, channel_b
        self.edges_ps = _checked_edges(edges_ps)
        self.live_time = LiveTime()
        self._counts = np.zeros(len(self.edges_ps) - 1, np.int64)
        self._singles_a = self._singles_b = 0
        self._recent_a, self._recent_b = Recent(), Recent()

    def feed(self, block: TagBlock) -> None:
        """Adds a block. Raises UsageError when it does not follow the last one."""
        tags = self.live_time.feed(block)
        new_a, new_b = select_shared(tags, self.channel_a), select_shared(tags, self.channel_b)
        self._singles_a += len(new_a)
        self._singles_b += len(new_b)
        for a, b in ((new_a, new_b), (self._recent_a.times_ps, new_b), (new_a, self._recent_b.times_ps)):
            self._counts += _pairs_by_lag(a, b, self.edges_ps)
        longest_ps = int(np.abs(self.edges_ps).max())
        self._recent_a.advance(new_a, block.t_stop_ps - longest_ps)
        self._recent_b.advance(new_b, block.t_stop_ps - longest_ps)

    def result(self) -> LagCorrelation:
        """The pairs of everything fed so far."""
        counts = self._counts.copy()
        if self.channel_a == self.channel_b:
            zero = int(np.searchsorted(self.edges_ps, 0, side="right")) - 1
            if 0 <= zero < len(counts):
                counts[zero] -= self._singles_a
        return LagCorrelation(self.edges_ps, counts, self._singles_a, self._singles_b, self.live_time.live_time_ps)


def _pairs_by_lag(t_a: Int64Array, t_b: Int64Array, edges_ps: Int64Array) -> Int64Array:
    from .kernels.pairs import count_below

    below = np.array([count_below(t_a, t_b, int(edge)) for edge in edges_ps], np.int64)
    return below[1:] - below[:-1]


def _checked_edges(edges_ps: ArrayLike) -> Int64Array:
    edges = as_times_ps(edges_ps, "edges_ps")
    if len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise UsageError("edges_ps must hold at least two rising edges")
    if max(abs(int(edges[0])), abs(int(edges[-1]))) > RANGE_LIMIT_PS:
        raise UsageError("edges_ps must lie within ±2^60 ps")
    return edges
