"""Start-stop histograms: clicks by their delay after the last marker, alone, over lab time, or two clicks jointly.

A click belongs to the last marker whose time is not after its own; delays are binned ``[k·bin, (k+1)·bin)`` over
``[0, range)``. Use ``correlate`` for the lags to every marker.
"""

from __future__ import annotations

import numpy as np

from .errors import UsageError
from .records import Int64Array, TagBlock, TimeTags
from .streaming import LiveTime
from .times import as_times_ps, bins_in, check_positive_ps


def gated_histogram(
    tags: TimeTags, marker_channel: int, click_channel: int, *, bin_ps: int, range_ps: int
) -> Int64Array:
    """Clicks by delay after their marker: int64 (range/bin,).

    Raises:
        UsageError: unsorted tags, a bin or range that is not positive, a range that is no multiple of the bin.
    """
    bins = bins_in(bin_ps, range_ps)
    as_times_ps(tags.t_ps, "tags.t_ps")
    delay, _ = _delays(tags.on(marker_channel), tags.on(click_channel), range_ps)
    return np.bincount(delay // bin_ps, minlength=bins)


def gated_histogram_over_time(
    tags: TimeTags,
    marker_channel: int,
    click_channel: int,
    *,
    bin_ps: int,
    range_ps: int,
    slice_ps: int,
    t_start_ps: int,
    t_stop_ps: int,
) -> Int64Array:
    """``gated_histogram`` resolved in lab time: one row a slice of the markers' time.

    Returns:
        int64 (ceil((t_stop - t_start)/slice), range/bin): row s holds the clicks of the markers in
        ``[t_start + s·slice, t_start + (s+1)·slice)`` and before ``t_stop``.

    Raises:
        UsageError: as ``gated_histogram``; a slice that is not positive, a stop not after the start.
    """
    bins = bins_in(bin_ps, range_ps)
    slices = -(
        -check_positive_ps(t_stop_ps - t_start_ps, "t_stop_ps - t_start_ps") // check_positive_ps(slice_ps, "slice_ps")
    )
    as_times_ps(tags.t_ps, "tags.t_ps")
    markers = tags.on(marker_channel)
    delay, marker = _delays(markers, tags.on(click_channel), range_ps)
    t_marker = markers[marker]
    kept = (t_marker >= t_start_ps) & (t_marker < t_stop_ps)
    row, column = (t_marker[kept] - t_start_ps) // slice_ps, delay[kept] // bin_ps
    return np.bincount(row * bins + column, minlength=slices * bins).reshape(slices, bins)


def joint_histogram(
    tags: TimeTags, marker_channel: int, channel_a: int, channel_b: int, *, bin_ps: int, range_ps: int
) -> Int64Array:
    """Pairs of one click on each of two channels after the same marker, by both delays: int64 (range/bin, range/bin).

    Every pair counts, at [bin of a, bin of b]. With ``a = b`` every ordered pair of different clicks counts.

    Raises:
        UsageError: as ``gated_histogram``.
    """
    bins = bins_in(bin_ps, range_ps, axes=2)
    as_times_ps(tags.t_ps, "tags.t_ps")
    markers = tags.on(marker_channel)
    delay_a, marker_a = _delays(markers, tags.on(channel_a), range_ps)
    delay_b, marker_b = _delays(markers, tags.on(channel_b), range_ps)
    low, high = (np.searchsorted(marker_b, marker_a, side=side) for side in ("left", "right"))
    n = high - low
    a = np.repeat(np.arange(len(n)), n)
    b = np.arange(len(a)) + np.repeat(high - np.cumsum(n), n)
    if channel_a == channel_b:
        a, b = a[a != b], b[a != b]
    cell = delay_a[a] // bin_ps * bins + delay_b[b] // bin_ps
    return np.bincount(cell, minlength=bins * bins).reshape(bins, bins)


class GatedHistogramStream:
    """Incremental ``gated_histogram`` (``joint_histogram`` when two click channels are named) over a tagger's blocks.

    Keeps the last marker and its clicks. Clicks of blocks with overflow do not count, nor those whose marker lies before
    an overflow or a gap.
    """

    def __init__(self, marker_channel: int, *click_channels: int, bin_ps: int, range_ps: int) -> None:
        if len(click_channels) not in (1, 2):
            raise UsageError(f"name one or two click channels, got {len(click_channels)}")
        bins = bins_in(bin_ps, range_ps, axes=len(click_channels))
        self.marker_channel, self.click_channels = marker_channel, click_channels
        self.bin_ps, self.range_ps = bin_ps, range_ps
        self.live_time = LiveTime()
        self._counts = np.zeros((bins,) * len(click_channels), np.int64)
        self._waiting = TimeTags.empty()

    def feed(self, block: TagBlock) -> Int64Array:
        """Adds a block; returns what the markers that ended with it counted, shaped like the result.

        Stacked over the blocks, the returned histograms resolve the measurement in lab time.
        """
        adjoins = self.live_time.follows(block)
        tags = self.live_time.feed(block)
        finished = TimeTags.empty()
        if not adjoins or block.overflow:
            finished, self._waiting = self._waiting, TimeTags.empty()
        clicks = TimeTags.concatenate([self._waiting, tags])
        markers = np.flatnonzero(clicks.channel == self.marker_channel)
        # From the last marker's time on: a click at that very time belongs to it wherever it stands.
        last = int(np.searchsorted(clicks.t_ps, clicks.t_ps[markers[-1]])) if len(markers) else len(clicks)
        new = self._count(finished) + self._count(TimeTags(clicks.t_ps[:last], clicks.channel[:last]))
        self._counts += new
        self._waiting = self._open(TimeTags(clicks.t_ps[last:], clicks.channel[last:]))
        return new

    def result(self) -> Int64Array:
        """The histogram of everything fed so far."""
        return self._counts + self._count(self._waiting)

    def _open(self, tags: TimeTags) -> TimeTags:
        """Of clicks that begin at a marker's time, those that can still count."""
        if not len(tags):
            return tags
        wanted = np.isin(tags.channel, [self.marker_channel, *self.click_channels])
        wanted &= tags.t_ps < tags.t_ps[0] + self.range_ps
        return TimeTags(tags.t_ps[wanted], tags.channel[wanted])

    def _count(self, tags: TimeTags) -> Int64Array:
        if len(self.click_channels) == 1:
            return gated_histogram(
                tags, self.marker_channel, *self.click_channels, bin_ps=self.bin_ps, range_ps=self.range_ps
            )
        return joint_histogram(
            tags, self.marker_channel, *self.click_channels, bin_ps=self.bin_ps, range_ps=self.range_ps
        )


def _delays(markers: Int64Array, clicks: Int64Array, range_ps: int) -> tuple[Int64Array, Int64Array]:
    """Delay of each click after its marker, below ``range_ps``, and the number of that marker."""
    marker = np.searchsorted(markers, clicks, side="right") - 1
    clicks, marker = clicks[marker >= 0], marker[marker >= 0]
    delay = clicks - markers[marker]
    return delay[delay < range_ps], marker[delay < range_ps]
