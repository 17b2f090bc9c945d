"""A time tagger: its own clock, a 1 ps grid, jitter and dead time on every input, a buffer until it is read."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.random import Generator

from ...analysis.records import Int64Array, TagBlock, TimeTags
from .clocks import Clock
from .config import TaggerConfig


@njit(cache=True, nogil=True)
def _alive(t_ps: Int64Array, last_ps: int, dead_ps: int) -> Int64Array:
    """Indices of the events at least ``dead_ps`` after the last kept one (non-paralysable)."""
    kept = np.empty(len(t_ps), np.int64)
    n = 0
    for i in range(len(t_ps)):
        if t_ps[i] - last_ps >= dead_ps:
            kept[n] = i
            n += 1
            last_ps = t_ps[i]
    return kept[:n]


class DeadTime:
    """Drops what comes too soon after the last accepted event; remembers it from call to call."""

    def __init__(self, dead_ps: int) -> None:
        self._dead_ps = dead_ps
        self._last_ps = -(2**62)

    def filter(self, t_ps: Int64Array) -> Int64Array:
        """Accepted events of the sorted int64 (N,) array."""
        if not len(t_ps):
            return t_ps
        accepted = t_ps[_alive(t_ps, self._last_ps, self._dead_ps)]
        self._last_ps = int(accepted[-1]) if len(accepted) else self._last_ps
        return accepted


class Input:
    """One input of a tagger: sorts, jitters, digitises, and holds what is later than asked for."""

    def __init__(self, config: TaggerConfig, clock: Clock, rng: Generator) -> None:
        self._jitter_ps, self._clock, self._rng = config.jitter_ps, clock, rng
        self._dead = DeadTime(config.dead_time_ps)
        self._held = np.empty(0, np.int64)

    def digitise(self, t_ps: Int64Array, until_ps: int) -> Int64Array:
        """Tags before ``until_ps`` on the tagger's clock: int64, sorted; events come as lab time, in order."""
        jittered = t_ps + np.rint(self._jitter_ps * self._rng.standard_normal(len(t_ps))).astype(np.int64)
        self._held = np.sort(np.concatenate([self._held, self._clock.read(jittered)]))
        n = int(np.searchsorted(self._held, until_ps))
        ready, self._held = self._held[:n], self._held[n:]
        return self._dead.filter(ready)


class Tagger:
    """``inputs`` maps input numbers to what is plugged in. Silent until started; blocks follow one another without gap."""

    def __init__(self, name: str, inputs: dict[int, Input], clock: Clock) -> None:
        self.name, self.inputs, self.clock = name, inputs, clock
        self.running = False
        self._parts: list[TimeTags] = []
        self._from_ps = self._to_ps = 0

    def start(self, t_ps: int) -> None:
        """Begins to keep tags at lab time ``t_ps``. Starting twice changes nothing."""
        if not self.running:
            self.running, self._parts = True, []
            self._from_ps = self._to_ps = self.clock.read_one(t_ps)

    def stop(self) -> None:
        self.running = False

    def feed(self, events: dict[int, Int64Array], t_ps: int) -> None:
        """Events (lab time, by input) up to a little after lab time ``t_ps``; keeps the tags before it when running."""
        until_ps = self.clock.read_one(t_ps)
        found = {n: self.inputs[n].digitise(events[n], until_ps) for n in self.inputs}
        if self.running:
            t = np.concatenate(list(found.values()))
            channel = np.repeat(np.array(list(found), np.uint8), [len(v) for v in found.values()])
            order = np.argsort(t, kind="stable")
            self._parts.append(TimeTags(t[order], channel[order]).between(self._from_ps, until_ps))
            self._to_ps = until_ps

    @property
    def waiting(self) -> bool:
        """Whether there is time not yet handed out."""
        return self._to_ps > self._from_ps

    def drain(self) -> TagBlock:
        """Everything since the last block (or the start)."""
        block = TagBlock(TimeTags.concatenate(self._parts), self._from_ps, self._to_ps, self.name)
        self._parts, self._from_ps = [], self._to_ps
        return block
