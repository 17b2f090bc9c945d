"""Clicks in the time of the attempts: which attempt, how long after its start, counted from the sync markers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...analysis.records import Int64Array, TagBlock
from ..sequence import Sequence
from .link import HEADER_PS


@dataclass
class AttemptClock:
    """Finds the attempt of each click, block by block; each sync marker opens ``per_marker`` attempts of ``period_ps``."""

    sync_channel: int
    period_ps: int
    per_marker: int
    header_ps: int = HEADER_PS
    markers: int = 0
    last_sync_ps: int | None = None

    @classmethod
    def of(cls, sequence: Sequence, sync_channel: int) -> AttemptClock:
        """The clock of a sequence."""
        return cls(sync_channel, sequence.body.length_ps, sequence.repetitions, sequence.header.length_ps)

    @property
    def attempts(self) -> int:
        """Attempts begun up to the last marker, that one's not counted."""
        return max(self.markers - 1, 0) * self.per_marker

    def take(self, block: TagBlock, *channels: int) -> tuple[Int64Array, ...]:
        """Times of the clicks on each channel, int64 (N,) ps, as if attempts followed one another without markers.

        The k-th attempt of the run begins at ``k · period_ps``; clicks before the first marker or between attempts are left out.
        """
        sync_ps = block.tags.on(self.sync_channel)
        first = self.markers - 1
        if self.last_sync_ps is not None:
            sync_ps = np.concatenate([np.array([self.last_sync_ps], np.int64), sync_ps])
        else:
            first = 0
        if not len(sync_ps):
            return tuple(np.empty(0, np.int64) for _ in channels)
        self.last_sync_ps = int(sync_ps[-1])
        self.markers = first + len(sync_ps)
        return tuple(self._unrolled(block.tags.on(channel), sync_ps, first) for channel in channels)

    def _unrolled(self, clicks_ps: Int64Array, sync_ps: Int64Array, first: int) -> Int64Array:
        k = np.searchsorted(sync_ps, clicks_ps, side="right") - 1
        since_ps = clicks_ps - sync_ps[np.maximum(k, 0)] - self.header_ps
        burst_ps = self.period_ps * self.per_marker
        inside = (k >= 0) & (since_ps >= 0) & (since_ps < burst_ps)
        unrolled: Int64Array = ((first + k) * burst_ps + since_ps)[inside]
        return unrolled
