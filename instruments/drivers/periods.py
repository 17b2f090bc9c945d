"""Making gap-free blocks of a recording that comes in periods: one message a channel and period, each from time zero."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

from ...analysis.records import Int64Array, TagBlock, TimeTags


class Parts:
    """Collects the messages of all channels and hands out whole periods, sorted.

    Args:
        source: name of the blocks.
        period_ps: from the start of a period to the start of the next.
        channels: every channel that sends.
    """

    def __init__(self, source: str, period_ps: int, channels: Iterable[int]) -> None:
        self._source, self._period_ps = source, period_ps
        self._waiting: dict[int, deque[Int64Array]] = {channel: deque() for channel in channels}
        self._handed_out = 0

    @property
    def complete(self) -> int:
        """Periods every channel has sent and nobody has taken."""
        return min(len(messages) for messages in self._waiting.values())

    @property
    def received(self) -> int:
        """Periods every channel has sent since the beginning."""
        return self._handed_out + self.complete

    def add(self, channel: int, t_ps: Int64Array) -> None:
        """The next period of one channel: int64 (N,) ps after its start, any order."""
        self._waiting[channel].append(t_ps)

    def take(self, lost: bool) -> TagBlock:
        """All complete periods as one block; ``lost``: the tagger says that tags are missing, not how many."""
        n, first = self.complete, self._handed_out
        times, channels = [np.empty(0, np.int64)], [np.empty(0, np.uint8)]
        for channel, messages in self._waiting.items():
            for k in range(first, first + n):
                times.append(messages.popleft() + k * self._period_ps)
                channels.append(np.full(len(times[-1]), channel, np.uint8))
        t_ps = np.concatenate(times)
        order = np.argsort(t_ps, kind="stable")
        tags = TimeTags(t_ps[order], np.concatenate(channels)[order])
        self._handed_out += n
        span_ps = (first * self._period_ps, self._handed_out * self._period_ps)
        return TagBlock(tags, *span_ps, self._source, overflow=lost, missed=-1 if lost else 0)
