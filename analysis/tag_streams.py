"""Streams of blocks made from others, block by block: delays taken off, taggers merged, only the valid stretches.

The blocks that come out adjoin one another and can be fed to any other stream. What was not live going in is not live
coming out: a block that such a stretch touches is marked as overflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from .errors import UsageError
from .records import TagBlock, TimeTags, ValidityMask
from .streaming import LiveTime
from .tags import delay, merge


def gate_block(block: TagBlock, valid: ValidityMask) -> Iterator[TagBlock]:
    """The pieces of a block inside the valid stretches, in order; a stream fed with them counts no other time as live."""
    for interval in valid.intervals:
        start, stop = max(interval.t_start_ps, block.t_start_ps), min(interval.t_stop_ps, block.t_stop_ps)
        if start < stop:
            yield replace(block, tags=block.tags.between(start, stop), t_start_ps=start, t_stop_ps=stop)


class DelayStream:
    """Incremental ``tags.delay``: adds a delay to each channel named and puts the clicks back in order.

    A block comes out as far as no click to come can fall into it; ``finish`` gives the rest.
    """

    def __init__(self, delays_ps: Mapping[int, int]) -> None:
        self.delays_ps = dict(delays_ps)
        self._first_ps, self._last_ps = min([0, *self.delays_ps.values()]), max([0, *self.delays_ps.values()])
        self._blocks = LiveTime()
        self._outbox = _Outbox(1)

    def feed(self, block: TagBlock) -> TagBlock:
        """The block up to ``block.t_stop_ps`` plus the most negative delay (0 if none is)."""
        before_ps = self._blocks.t_stop_ps
        self._blocks.feed(block)
        if before_ps is None:
            self._outbox.start(block.source, block.t_start_ps + self._first_ps)
        elif before_ps < block.t_start_ps:
            self._outbox.mark(before_ps + self._first_ps, block.t_start_ps + self._last_ps, 0)
        if block.overflow:
            self._outbox.mark(block.t_start_ps + self._first_ps, block.t_stop_ps + self._last_ps, block.missed)
        self._outbox.add(0, delay(block.tags, self.delays_ps))
        return self._outbox.take(block.t_stop_ps + self._first_ps)

    def finish(self) -> TagBlock:
        """What was held back."""
        return self._outbox.take((self._blocks.t_stop_ps or 0) + self._last_ps)


class MergeStream:
    """Incremental ``tags.merge`` of several taggers on one time axis; their channels should differ.

    Time before the last of them began is not covered. A block comes out as far as all of them have come.
    """

    def __init__(self, *sources: str) -> None:
        if len(sources) < 2 or len(set(sources)) != len(sources):
            raise UsageError(f"merging needs two or more different taggers, got {list(sources)}")
        self._blocks = {source: LiveTime() for source in sources}
        self._outbox = _Outbox(len(sources))

    def feed(self, block: TagBlock) -> TagBlock | None:
        """The merged block up to where the slowest tagger is; None while one has not begun or nothing is new.

        Raises:
            UsageError: a block of a tagger that was not named, or one that does not follow its last.
        """
        if block.source not in self._blocks:
            raise UsageError(f"no tagger {block.source!r} is merged here; there are {list(self._blocks)}")
        mine = self._blocks[block.source]
        before_ps = mine.t_stop_ps
        mine.feed(block)
        if before_ps is not None and before_ps < block.t_start_ps:
            self._outbox.mark(before_ps, block.t_start_ps, 0)
        if block.overflow:
            self._outbox.mark(block.t_start_ps, block.t_stop_ps, block.missed)
        self._outbox.add(list(self._blocks).index(block.source), block.tags)
        stops = [live.t_stop_ps for live in self._blocks.values() if live.t_stop_ps is not None]
        if before_ps is None:
            self._outbox.start("+".join(self._blocks), block.t_start_ps)
        if len(stops) < len(self._blocks) or min(stops) <= self._outbox.t_start_ps:
            return None
        return self._outbox.take(min(stops))


class _Outbox:
    """Clicks waiting, lane by lane, until the time before them is complete."""

    def __init__(self, lanes: int) -> None:
        self.source, self.t_start_ps = "", -(2**63)
        self._waiting = [TimeTags.empty()] * lanes
        self._dead: list[tuple[int, int, int]] = []

    def start(self, source: str, t_start_ps: int) -> None:
        """Nothing before ``t_start_ps`` will come out."""
        self.source, self.t_start_ps = source, max(t_start_ps, self.t_start_ps)

    def mark(self, t_start_ps: int, t_stop_ps: int, missed: int) -> None:
        """A stretch that is not live."""
        self._dead.append((t_start_ps, t_stop_ps, missed))

    def add(self, lane: int, tags: TimeTags) -> None:
        self._waiting[lane] = merge(self._waiting[lane], tags)

    def take(self, t_stop_ps: int) -> TagBlock:
        """The block from the end of the last one to ``t_stop_ps``; equal times come out in the order of the lanes."""
        start_ps = self.t_start_ps
        stop_ps = self.t_start_ps = max(t_stop_ps, start_ps)
        tags = merge(*(lane.between(start_ps, stop_ps) for lane in self._waiting))
        self._waiting = [_from(lane, stop_ps) for lane in self._waiting]
        touched = [(a, b, missed) for a, b, missed in self._dead if a < stop_ps and b > start_ps]
        # What was lost is counted once, in the first block it touches.
        self._dead = [(a, b, 0 if a < stop_ps else missed) for a, b, missed in self._dead if b > stop_ps]
        lost = [missed for *_, missed in touched]
        return TagBlock(tags, start_ps, stop_ps, self.source, bool(touched), -1 if -1 in lost else sum(lost))


def _from(tags: TimeTags, t_ps: int) -> TimeTags:
    """A copy of the clicks at or after ``t_ps``."""
    first = int(np.searchsorted(tags.t_ps, t_ps))
    return TimeTags(tags.t_ps[first:].copy(), tags.channel[first:].copy())
