"""Following one tagger's blocks: what of the time was live, what was lost, and which clicks may count.

Every incremental form in ``analysis`` takes ``TagBlock``s in order through ``feed`` and gives the answer its batch form
gives for the live clicks, wherever the blocks are cut. A block with overflow is not live: its clicks do not count.
A gap between blocks is not live either.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .errors import UsageError
from .records import Int64Array, Interval, TagBlock, TimeTags, ValidityMask
from .tags import IN_ORDER, share
from .times import as_times_ps, check_limits

#: Clicks a stream takes at a time.
_PART = 2**18


class LiveTime:
    """The live stretches of one tagger's stream.

    Attributes:
        live_time_ps: total length of the live blocks so far.
        missed: clicks known to be lost (blocks that lost an unknown number add nothing here).
        t_stop_ps: end of the last block, None before the first.
    """

    def __init__(self) -> None:
        self.live_time_ps = 0
        self.missed = 0
        self.t_stop_ps: int | None = None
        self._source: str | None = None
        self._live: list[Interval] = []
        self._dead: list[Interval] = []

    def feed(self, block: TagBlock) -> TimeTags:
        """Notes the block and returns its live clicks: all of them, or none if the block lost some.

        Raises:
            UsageError: the block is of another tagger, starts before the last one ended, or holds clicks out of order or
                outside its time.
        """
        self._check(block)
        self._source = block.source
        if self.t_stop_ps is not None and block.t_start_ps > self.t_stop_ps:
            _extend(self._dead, Interval(self.t_stop_ps, block.t_start_ps, "gap"))
        self.t_stop_ps = block.t_stop_ps
        if block.overflow:
            self.missed += max(block.missed, 0)
            _extend(self._dead, Interval(block.t_start_ps, block.t_stop_ps, "overflow"))
            return TimeTags.empty()
        self.live_time_ps += block.t_stop_ps - block.t_start_ps
        _extend(self._live, Interval(block.t_start_ps, block.t_stop_ps, "live"))
        return block.tags

    def live(self) -> ValidityMask:
        """The live stretches, adjoining blocks joined."""
        return ValidityMask(tuple(self._live))

    def dead(self) -> ValidityMask:
        """The stretches that do not count, with the reason: ``overflow`` or ``gap``."""
        return ValidityMask(tuple(self._dead))

    def follows(self, block: TagBlock) -> bool:
        """Whether the block begins exactly where the last one ended."""
        return self.t_stop_ps == block.t_start_ps

    def _check(self, block: TagBlock) -> None:
        where = f"block [{block.t_start_ps}, {block.t_stop_ps}) ps of {block.source}"
        if self._source not in (None, block.source):
            raise UsageError(f"{where} was fed to a stream of {self._source}; each tagger needs its own")
        if block.t_stop_ps < block.t_start_ps:
            raise UsageError(f"{where} ends before it starts")
        if self.t_stop_ps is not None and block.t_start_ps < self.t_stop_ps:
            raise UsageError(f"{where} starts before the last block ended ({self.t_stop_ps} ps); feed blocks in order")
        times = share(block.tags, IN_ORDER, lambda: as_times_ps(block.tags.t_ps, f"t_ps of {where}"))
        check_limits(times, f"t_ps of {where}")
        if len(times) and not block.t_start_ps <= times[0] <= times[-1] < block.t_stop_ps:
            raise UsageError(f"{where} holds clicks outside its time: {times[0]} … {times[-1]} ps")


def parts(tags: TimeTags) -> Iterator[TimeTags]:
    """The clicks in parts small enough that what a stream copies stays in cache; at least one.

    Few enough clicks are the part themselves, so that streams share what they derive from them; others are made one by one.
    """
    if len(tags) <= _PART:
        yield tags
        return
    for first in range(0, len(tags), _PART):
        cut = slice(first, first + _PART)
        yield TimeTags(tags.t_ps[cut], tags.channel[cut])


def _extend(intervals: list[Interval], new: Interval) -> None:
    """Appends ``new``, joined to the last interval when they touch and share the reason."""
    if new.t_start_ps == new.t_stop_ps:
        return
    if intervals and intervals[-1].t_stop_ps == new.t_start_ps and intervals[-1].reason == new.reason:
        new = Interval(intervals.pop().t_start_ps, new.t_stop_ps, new.reason)
    intervals.append(new)


class Recent:
    """The latest clicks of one channel: what a stream must remember to pair them with those to come.

    Room is taken in doubling steps and reused, so that a click is copied a bounded number of times however long it stays.
    """

    def __init__(self) -> None:
        self._room = np.empty(1024, np.int64)
        self._first = self._stop = 0

    @property
    def times_ps(self) -> Int64Array:
        """The clicks remembered, int64 (M,), a view that lasts until ``advance``."""
        return self._room[self._first : self._stop]

    def advance(self, new_ps: Int64Array, oldest_ps: int) -> None:
        """Forgets the clicks before ``oldest_ps`` and remembers the new ones that are not before it."""
        new_ps = new_ps[np.searchsorted(new_ps, oldest_ps) :]
        self._first += int(np.searchsorted(self.times_ps, oldest_ps))
        kept, needed = self._stop - self._first, self._stop - self._first + len(new_ps)
        if self._stop + len(new_ps) > len(self._room):
            room = self._room if 2 * needed <= len(self._room) else np.empty(4 * needed, np.int64)
            room[:kept] = self.times_ps.copy()
            self._room, self._first, self._stop = room, 0, kept
        self._room[self._stop : self._stop + len(new_ps)] = new_ps
        self._stop += len(new_ps)
