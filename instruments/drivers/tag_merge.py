"""Making gap-free blocks out of tag streams that arrive late and one channel at a time."""

from __future__ import annotations

import numpy as np

from ...analysis.records import Int64Array, TagBlock, TimeTags


class TagMerger:
    """Collects tags in any order of arrival and hands out consecutive, sorted blocks.

    A tag that arrives for time already handed out is lost: it is counted in ``missed`` of the next block, never put in
    out of order.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._pending: list[tuple[Int64Array, int]] = []
        self._sorted = TimeTags.empty()
        self._handed_out_ps = 0
        self._too_late = 0
        self._missed = 0

    @property
    def handed_out_ps(self) -> int:
        """End of the last block."""
        return self._handed_out_ps

    def add(self, channel: int, t_ps: Int64Array) -> None:
        """Tags of one channel (int64 (N,), any order)."""
        in_time = t_ps[t_ps >= self._handed_out_ps]
        self._too_late += len(t_ps) - len(in_time)
        if len(in_time):
            self._pending.append((in_time, channel))

    def lost(self, missed: int) -> None:
        """The tagger reports tags it lost; -1 when it does not know how many."""
        self._missed = -1 if missed < 0 or self._missed < 0 else self._missed + missed

    def take(self, t_stop_ps: int) -> TagBlock:
        """The block from the end of the last one to ``t_stop_ps``."""
        t_start_ps, t_stop_ps = self._handed_out_ps, max(t_stop_ps, self._handed_out_ps)
        merged = self._merge()
        block, self._sorted = merged.between(t_start_ps, t_stop_ps), merged.between(t_stop_ps, np.iinfo(np.int64).max)
        missed = -1 if self._missed < 0 else self._missed + self._too_late
        self._handed_out_ps, self._too_late, self._missed = t_stop_ps, 0, 0
        return TagBlock(block, t_start_ps, t_stop_ps, self._source, overflow=missed != 0, missed=missed)

    def _merge(self) -> TimeTags:
        t_ps = np.concatenate([self._sorted.t_ps, *(t for t, _ in self._pending)])
        channel = np.concatenate([self._sorted.channel, *(np.full(len(t), c, np.uint8) for t, c in self._pending)])
        self._pending.clear()
        order = np.argsort(t_ps, kind="stable")
        return TimeTags(t_ps[order], channel[order])
