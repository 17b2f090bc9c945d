"""Clicks in a gate after each marker."""

from __future__ import annotations

import numpy as np

from .errors import UsageError
from .records import BoolArray, Int64Array, TagBlock, TimeTags
from .streaming import LiveTime
from .times import as_times_ps


def gate_counts(
    tags: TimeTags, marker_channel: int, click_channel: int, start_ps: int, stop_ps: int
) -> tuple[Int64Array, Int64Array]:
    """Clicks in ``[marker + start, marker + stop)`` for every marker.

    Returns:
        (marker_t_ps int64 (M,), counts int64 (M,)).

    Raises:
        UsageError: unsorted tags, or a gate that does not stop after it starts.
    """
    as_times_ps(tags.t_ps, "tags.t_ps")
    _check_gate(start_ps, stop_ps)
    markers = tags.on(marker_channel)
    return markers, _count_in_gates(markers, tags.on(click_channel), start_ps, stop_ps)


class GateStream:
    """Incremental ``gate_counts`` over the blocks of one tagger.

    A marker comes out once its gate has closed; it is valid when no overflow and no gap touches the marker or the
    stretch to the far end of its gate. Markers come out of blocks with overflow too, so that the k-th marker stays the k-th, but not valid.
    """

    def __init__(self, marker_channel: int, click_channel: int, start_ps: int, stop_ps: int) -> None:
        _check_gate(start_ps, stop_ps)
        self.marker_channel, self.click_channel = marker_channel, click_channel
        self.start_ps, self.stop_ps = start_ps, stop_ps
        self.live_time = LiveTime()
        self._markers = np.empty(0, np.int64)
        self._clicks = np.empty(0, np.int64)
        self._dead: list[tuple[int, int]] = []

    def feed(self, block: TagBlock) -> tuple[Int64Array, Int64Array, BoolArray]:
        """Adds a block; returns (marker_t_ps, counts, valid) of the markers whose gate has closed since the last call."""
        before_ps = self.live_time.t_stop_ps
        self.live_time.feed(block)
        if before_ps is not None and before_ps < block.t_start_ps:
            self._dead.append((before_ps, block.t_start_ps))
        if block.overflow:
            self._dead.append((block.t_start_ps, block.t_stop_ps))
        self._markers = np.concatenate([self._markers, block.tags.on(self.marker_channel)])
        self._clicks = np.concatenate([self._clicks, block.tags.on(self.click_channel)])
        closed = int(np.searchsorted(self._markers, block.t_stop_ps - max(self.stop_ps, 0), side="right"))
        return self._release(closed, block.t_stop_ps)

    def finish(self) -> tuple[Int64Array, Int64Array, BoolArray]:
        """The markers whose gate was still open when the stream ended; their counts are what came so far."""
        return self._release(len(self._markers), self.live_time.t_stop_ps or 0)

    def _release(self, closed: int, t_stop_ps: int) -> tuple[Int64Array, Int64Array, BoolArray]:
        markers, self._markers = self._markers[:closed], self._markers[closed:].copy()
        counts = _count_in_gates(markers, self._clicks, self.start_ps, self.stop_ps)
        touched_from, touched_to = markers + min(self.start_ps, 0), markers + max(self.stop_ps, 1)
        valid = np.ones(closed, np.bool_)
        for dead_start, dead_stop in self._dead:
            valid &= (touched_to <= dead_start) | (touched_from >= dead_stop)
        oldest = int(self._markers[0]) if len(self._markers) else t_stop_ps
        self._clicks = self._clicks[np.searchsorted(self._clicks, oldest + min(self.start_ps, 0)) :].copy()
        self._dead = [d for d in self._dead if d[1] > oldest + min(self.start_ps, 0)]
        return markers, counts, valid


def _count_in_gates(markers: Int64Array, clicks: Int64Array, start_ps: int, stop_ps: int) -> Int64Array:
    return np.searchsorted(clicks, markers + stop_ps) - np.searchsorted(clicks, markers + start_ps)


def _check_gate(start_ps: int, stop_ps: int) -> None:
    if not start_ps < stop_ps:
        raise UsageError(f"the gate must stop after it starts, got [{start_ps}, {stop_ps}) ps")
