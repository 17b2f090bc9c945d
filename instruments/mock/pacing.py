"""Ties lab time to the wall clock for labs that are to be watched: the only place of the mocks that ever waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar
from weakref import WeakKeyDictionary

from ...analysis.records import PS_PER_S
from ..twin import World

_SHORTEST_PS = PS_PER_S // 100
_LONGEST_PS = PS_PER_S


class Pacer:
    """One per world. ``wall_s`` and ``sleep`` are injectable."""

    _all: ClassVar[WeakKeyDictionary[World, Pacer]] = WeakKeyDictionary()

    def __init__(
        self, world: World, wall_s: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._world, self._wall_s, self._sleep = world, wall_s, sleep
        self._zero_s: float | None = None

    @classmethod
    def of(cls, world: World) -> Pacer:
        """The pacer all instruments of a world share."""
        return cls._all.setdefault(world, cls(world))

    def next_block_ps(self, timeout_s: float = float("inf")) -> int:
        """Lab time the next block should cover, after waiting until it has passed; at least 10 ms, at most 1 s."""
        if self._world.pace == "free":
            return self._world.suggested_block_ps()
        pace = float(self._world.pace)
        behind_ps = self._target_ps(pace) - self._world.now_ps
        if behind_ps > 2 * _LONGEST_PS:  # the computer was busy elsewhere: do not race to catch up
            self._zero_s = None
        block_ps = min(max(behind_ps, _SHORTEST_PS), _LONGEST_PS)
        wait_s = (block_ps - behind_ps) / PS_PER_S / pace
        if wait_s > 0:
            self._sleep(min(wait_s, timeout_s))
        return block_ps

    def wait(self, duration_s: float) -> None:
        """Lets ``duration_s`` of lab time pass on the wall as well (nothing to wait for when free)."""
        if self._world.pace != "free":
            self._sleep(duration_s / float(self._world.pace))

    def _target_ps(self, pace: float) -> int:
        now_s = self._wall_s()
        if self._zero_s is None:
            self._zero_s = now_s - self._world.now_ps / PS_PER_S / pace
        return int((now_s - self._zero_s) * pace * PS_PER_S)


class MockLabClock:
    """The lab's clock of a simulated lab: sleeping lets lab time pass."""

    def __init__(self, world: World) -> None:
        self._world, self._pacer = world, Pacer.of(world)

    def now_s(self) -> float:
        return self._world.now_ps / PS_PER_S

    def sleep(self, duration_s: float) -> None:
        self._pacer.wait(duration_s)
        self._world.advance(round(duration_s * PS_PER_S))
