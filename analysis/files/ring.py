"""A bounded queue of tag blocks that never loses a click in silence."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace

from ..records import TagBlock, TimeTags


def lost(block: TagBlock) -> TagBlock:
    """What is left of a block that could not be kept: its stretch of time, and how many clicks it cost."""
    missed = -1 if block.missed < 0 else block.missed + len(block.tags)
    return replace(block, tags=TimeTags.empty(), overflow=True, missed=missed)


def _joined(before: TagBlock, after: TagBlock) -> TagBlock | None:
    """Two lost blocks as one, if they follow one another on the same tagger."""
    same = before.source == after.source and before.t_stop_ps == after.t_start_ps
    if not (same and before.overflow and not len(before.tags)):
        return None
    missed = -1 if min(before.missed, after.missed) < 0 else before.missed + after.missed
    return replace(before, t_stop_ps=after.t_stop_ps, missed=missed)


class Ring:
    """Blocks on their way from one thread to another, at most ``capacity`` clicks of them.

    A block that finds no room within the patience of its producer is replaced by its mark (see ``lost``), which takes no room;
    marks that follow one another are joined. The order of blocks never changes.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.clicks = 0
        self.clicks_lost = 0
        self.closed = False
        self._items: deque[TagBlock] = deque()
        self._changed = threading.Condition()

    def put(self, block: TagBlock, patience_s: float) -> bool:
        """Waits up to ``patience_s`` for room; says whether the block was kept whole."""
        n = len(block.tags)
        with self._changed:
            room = self._changed.wait_for(lambda: self.closed or self._fits(n), patience_s)
            if not room:
                self.clicks_lost += n
                block = lost(block)
                joined = _joined(self._items[-1], block) if self._items else None
                if joined is not None:
                    self._items.pop()
                    block = joined
            self._items.append(block)
            self.clicks += len(block.tags)
            self._changed.notify_all()
            return room

    def _fits(self, n: int) -> bool:
        """A block larger than the whole ring may pass when it is empty."""
        return self.clicks == 0 or self.clicks + n <= self.capacity

    def get(self) -> TagBlock | None:
        """The next block; waits for it. None when the ring is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self.closed)
            if not self._items:
                return None
            block = self._items.popleft()
            self.clicks -= len(block.tags)
            self._changed.notify_all()
            return block

    def close(self) -> None:
        """No more blocks will come; what is inside can still be taken."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()
