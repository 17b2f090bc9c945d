"""How a device gets from one value to the next: at a rate, exponentially, or all at once after a while.

Time is the world's. The world is told where the value is on its way, a hundred times a second and whenever somebody asks.
"""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .ports import TICK_S
from .tcp import event_loop


class Law(Protocol):
    """A way to go; the way is done after ``takes_s``."""

    def takes_s(self, start: float, target: float) -> float: ...

    def at(self, start: float, target: float, since_s: float) -> float:
        """Where it is ``since_s`` after it left, before it has arrived."""
        ...


@dataclass(frozen=True, slots=True)
class Slew:
    """At a constant rate (units a second)."""

    rate: float

    def takes_s(self, start: float, target: float) -> float:
        return abs(target - start) / self.rate

    def at(self, start: float, target: float, since_s: float) -> float:
        return start + math.copysign(self.rate * since_s, target - start)


@dataclass(frozen=True, slots=True)
class Exponential:
    """First order; it has arrived when it is within ``resolution``."""

    time_constant_s: float
    resolution: float

    def takes_s(self, start: float, target: float) -> float:
        return self.time_constant_s * max(0.0, math.log(max(abs(target - start), 1e-300) / self.resolution))

    def at(self, start: float, target: float, since_s: float) -> float:
        return target + (start - target) * math.exp(-since_s / self.time_constant_s)


@dataclass(frozen=True, slots=True)
class After:
    """Stays where it was for ``delay_s``, then is there."""

    delay_s: float

    def takes_s(self, start: float, target: float) -> float:
        return self.delay_s

    def at(self, start: float, target: float, since_s: float) -> float:
        return start


class Motion:
    """One value of a device on its way to where it was last told to go.

    Args:
        now_s: the world's clock.
        tell: hands the present value to the world.
        start: where it is at first; the world is told.
    """

    def __init__(self, now_s: Callable[[], float], tell: Callable[[float], None], start: float) -> None:
        self._now_s, self._tell, self._lock = now_s, tell, threading.RLock()
        self.place(start)

    def place(self, value: float) -> None:
        """There at once: after switching on."""
        with self._lock:
            self._start = self.target = self._told = value
            self._law: Law = After(0.0)
            self._left_s = self._arrives_s = -math.inf
            self._tell(value)

    def go(self, target: float, law: Law) -> None:
        """Leaves for ``target`` now."""
        with self._lock:
            self._start, self._left_s = self.present(), self._now_s()
            self.target, self._law = target, law
            self._arrives_s = self._left_s + law.takes_s(self._start, target)
            if self.remaining_s() > 0:
                event_loop().call_soon_threadsafe(_follow, weakref.ref(self))
            self.present()

    def present(self) -> float:
        """Where it is; the world knows then, too."""
        with self._lock:  # the clock is read inside, so that the world is told in order of time
            return self._at(self._now_s())

    def remaining_s(self) -> float:
        """Time until it is there, 0 when it is; the world has been told of the arrival then."""
        with self._lock:
            now_s = self._now_s()
            self._at(now_s)
            return max(0.0, self._arrives_s - now_s)

    def _at(self, now_s: float) -> float:
        here = self.target
        if now_s < self._arrives_s:
            here = self._law.at(self._start, self.target, now_s - self._left_s)
        if here != self._told:
            self._told = here
            self._tell(here)
        return here


def _follow(reference: weakref.ref[Motion]) -> None:
    motion = reference()
    if motion is not None and (remaining_s := motion.remaining_s()) > 0:
        event_loop().call_later(min(TICK_S, remaining_s), _follow, reference)
