"""A time tagger: its own clock, a 1 ps grid, jitter and dead time on every input, a buffer until it is read."""

from __future__ import annotations

import numpy as np

from ...analysis.records import PS_PER_S, Int64Array, TagBlock, TimeTags
from .clocks import Clock
from .config import TaggerConfig
from .kernels import digitise, keep_alive, merge_tags, settle, transfer
from .streams import key


class Input:
    """One input of a tagger: jitters, digitises on the tagger's clock, and holds what is later than asked for."""

    def __init__(self, config: TaggerConfig, clock: Clock, seed: int, *name: object) -> None:
        self._config, self._clock = config, clock
        self._key, self._counter = key(seed, "input", *name), 0
        self._last_ps = -(2**62)
        self._held = np.empty(0, np.int64)

    def forget(self) -> None:
        """Drops what was held."""
        self._held = np.empty(0, np.int64)

    def digitise(self, t_ps: Int64Array, until_ps: int) -> Int64Array:
        """Tags before ``until_ps`` on the tagger's clock: int64, sorted; edges come as lab time, in order."""
        readings = np.empty(len(self._held) + len(t_ps), np.int64)
        readings[: len(self._held)] = self._held
        first_knot, knot_ps, knots_ps = self._clock.knots(t_ps)
        self._counter = digitise(
            t_ps, self._key, self._counter, self._config.jitter_ps, self._clock.skew, self._clock.offset_ps,
            first_knot, knot_ps, knots_ps, self._config.inl_ps, self._config.inl_period_ps, self._config.lsb_ps,
            readings[len(self._held) :],
        )  # fmt: skip
        settle(readings)
        n = int(np.searchsorted(readings, until_ps))
        self._held = readings[n:]
        kept, self._last_ps = keep_alive(readings[:n], self._last_ps, self._config.dead_time_ps)
        return kept


class Tagger:
    """``inputs`` maps input numbers to what is plugged in. Silent until started; blocks follow one another without gap."""

    def __init__(self, name: str, config: TaggerConfig, inputs: dict[int, Input], clock: Clock) -> None:
        self.name, self.inputs, self.clock = name, inputs, clock
        self.running = False
        self._transfer_per_ps = self._drain_per_ps = config.transfer_hz / PS_PER_S
        self._room = config.buffer_tags
        self._level, self._last_ps, self._missed = 0.0, 0, 0
        self._parts: list[TimeTags] = []
        self._from_ps = self._to_ps = 0

    def start(self, t_ps: int) -> None:
        """Begins to keep tags at lab time ``t_ps``. Starting twice changes nothing."""
        if not self.running:
            self.running, self._parts = True, []
            for plug in self.inputs.values():
                plug.forget()
            self._from_ps = self._to_ps = self.clock.read_one(t_ps)

    def stop(self) -> None:
        """Keeps no more tags."""
        self.running = False

    def stall(self, stalled: float) -> None:
        """Whether (1) or not (0) the computer has stopped reading."""
        self._drain_per_ps = 0.0 if stalled else self._transfer_per_ps

    def feed(self, events: dict[int, Int64Array], t_ps: int) -> None:
        """Edges (lab time, by input) up to a little after lab time ``t_ps``; keeps the tags before it. Idle when stopped."""
        if not self.running:
            return
        until_ps = self.clock.read_one(t_ps)
        t, channel = np.empty(0, np.int64), np.empty(0, np.uint8)
        for number, plug in self.inputs.items():
            t, channel = merge_tags(t, channel, plug.digitise(events[number], until_ps), np.uint8(number))
        kept = np.empty(len(t), np.bool_)
        self._level, self._last_ps, lost = transfer(t, self._level, self._last_ps, self._drain_per_ps, self._room, kept)
        self._missed += lost
        tags = TimeTags(t[kept], channel[kept]) if lost else TimeTags(t, channel)
        self._parts.append(tags.between(self._from_ps, until_ps))
        self._to_ps = max(until_ps, self._to_ps)

    @property
    def waiting(self) -> bool:
        """Whether there is time not yet handed out."""
        return self._to_ps > self._from_ps

    def drain(self) -> TagBlock:
        """Everything since the last block (or the start)."""
        tags = TimeTags.concatenate(self._parts)
        block = TagBlock(tags, self._from_ps, self._to_ps, self.name, self._missed > 0, self._missed)
        self._parts, self._from_ps, self._missed = [], self._to_ps, 0
        return block
