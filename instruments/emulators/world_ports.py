"""Ports of a simulated lab: emulators turn its knobs, play its pulses, read its detectors and stream its clicks.

A port ``component.quantity_unit`` is the lab's knob ``(component, quantity)``; what the lab does not know (a diode
current, a piezo voltage) is remembered here, as the device itself would. Lab time is the wall's, ``pace`` times as fast
(slower where the computer cannot keep up): whoever asks for anything first lets the lab catch up.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ...analysis.records import PS_PER_S, FloatArray, TimeTags
from ..twin import World
from .click_log import ClickLog
from .playing import PulseWires, program_of
from .ports import TICK_S, HeraldWindows, LevelLog, PulseProgram, Value, Waveform, every

UNITS = ("_w", "_hz", "_a", "_v", "_k", "_t", "_db", "_dbm", "_deg")


@dataclass(frozen=True, slots=True)
class AnalogWire:
    """A DAQ output wired to a knob of the lab: the knob is ``per_volt`` times the voltage."""

    component: str
    quantity: str
    per_volt: float = 1.0


@dataclass(frozen=True, slots=True)
class Wires:
    """How the instruments of a station are wired to the lab.

    Attributes:
        components: instrument name → the lab's component, where they differ.
        knobs: port → knob of the lab, where its name does not say so.
        lit: port that shows the power of light → the laser of the lab it comes from.
        analog: DAQ output → knob.
        monitors: DAQ input → reading of the lab it shows, which is ``per_volt`` times the voltage.
        counters: counter terminal → detector channel whose clicks it counts, e.g. ``Dev1/ctr0`` → ``ch1``.
        inputs: tagger → its input → the input of the lab's tagger, where they differ.
        pulsers: pulse generator → what its outputs are wired to.
    """

    components: Mapping[str, str] = field(default_factory=dict)
    knobs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    lit: Mapping[str, str] = field(default_factory=dict)
    analog: Mapping[str, AnalogWire] = field(default_factory=dict)
    monitors: Mapping[str, AnalogWire] = field(default_factory=dict)
    counters: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    pulsers: Mapping[str, PulseWires] = field(default_factory=dict)


#: Where the click of each detector can be seen: tagger of the lab and its input.
SEEN_AT = {"ch1": ("tagger", 1), "ch2": ("tagger", 2), "ch3": ("alice_tagger", 1), "ch4": ("bob_tagger", 1)}
#: The lab is never further behind than this, of the wall or of the lab: else its time slows down.
LONGEST_STEP_S, LONGEST_STEP_LAB_S = 0.25, 0.25
NODE_TAGGERS = ("alice_tagger", "bob_tagger")


class WorldPorts:
    """Ports over a World."""

    def __init__(
        self, world: World, wires: Wires | None = None, pace: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._world, self._wires, self._pace, self._clock = world, wires or Wires(), pace, clock
        self._zero_s = pace * clock() - world.now_ps / PS_PER_S
        self._longest_step_s = min(LONGEST_STEP_S * pace, LONGEST_STEP_LAB_S)
        self._lock, self._ticking = threading.RLock(), threading.RLock()
        self._own: dict[str, Value] = {}
        self._levels = LevelLog()
        self._logs: dict[str, ClickLog] = defaultdict(ClickLog)
        self._drained_ps: dict[str, int] = {}
        self._lines: dict[str, tuple[float, float]] = {}
        self._callbacks: list[Callable[[], None]] = []
        self._telling: int | None = None
        self._end_ticks: Callable[[], None] = lambda: None
        for tagger in dict.fromkeys(tagger for tagger, _ in SEEN_AT.values()):
            self._drained_ps[tagger] = world.now_ps
            world.start_tagger(tagger)  # a real tagger's clock runs as soon as it has power

    def now_s(self) -> float:
        """Lab time: the wall's, or as far as the lab may be behind it at most when the computer cannot keep up."""
        return min(self._pace * self._clock() - self._zero_s, self._world.now_ps / PS_PER_S + self._longest_step_s)

    def get(self, name: str) -> Value:
        with self._lock:
            self._catch_up(TICK_S)
            if name in self._wires.lit:
                laser = self._wires.lit[name]
                return self._world.get(laser, "power") * self._world.get(laser, "emission")
            component, quantity = self._key(name)
            try:
                return self._world.get(component, quantity)
            except KeyError:
                return self._own[name]

    def set(self, name: str, value: Value) -> None:
        self.tick()  # what was clicked before is on its way before anybody hears of the change
        with self._lock:
            wire = self._wires.analog.get(name)
            if isinstance(value, PulseProgram):
                self._own[name] = value
                self._play(name.rpartition(".")[0], value)
            elif wire is not None:
                self._own[name] = value
                self._world.set(wire.component, wire.quantity, wire.per_volt * self._voltage(value))
            elif isinstance(value, str | Waveform | HeraldWindows) or not self._turn(*self._key(name), float(value)):
                self._own[name] = value
                if isinstance(value, bool):
                    self._levels.set(name, self.now_s(), value)

    def sample(self, name: str, t_s: FloatArray) -> FloatArray:
        with self._lock:
            channel = self._wires.counters.get(name) or self._clicks_of(name)
            if channel:
                return self._log_of(channel).counts(SEEN_AT[channel][1], np.round(t_s * PS_PER_S).astype(np.int64))
            if name in self._levels:
                return self._levels.at(name, t_s)
            if name in self._wires.monitors:
                return self._monitored_v(self._wires.monitors[name], len(t_s))
            value = self.get(name)
        if isinstance(value, Waveform):
            return value.at(t_s)
        assert not isinstance(value, PulseProgram | HeraldWindows)
        return np.full(len(t_s), float(value))

    def changes_s(self, name: str, t_start_s: float, t_stop_s: float) -> FloatArray:
        with self._lock:
            if name in self._levels:
                return self._levels.changes_s(name, t_start_s, t_stop_s)
            value = self.get(name)
        return value.changes_s(t_start_s, t_stop_s) if isinstance(value, Waveform) else np.empty(0)

    def tagger_now_ps(self, name: str) -> int:
        with self._lock:
            return self._drain(self._wires.components.get(name, name)).now_ps

    def clicks(self, name: str, t_start_ps: int, t_stop_ps: int) -> TimeTags:
        with self._lock:
            tags = self._drain(self._wires.components.get(name, name)).between(t_start_ps, t_stop_ps)
        renamed = {theirs: ours for ours, theirs in self._wires.inputs.get(name, {}).items()}
        if not renamed:
            return tags
        table = np.arange(256, dtype=np.uint8)
        table[list(renamed)] = list(renamed.values())
        plugged = np.isin(tags.channel, list(renamed))
        return TimeTags(tags.t_ps[plugged], table[tags.channel[plugged]])

    def on_tick(self, callback: Callable[[], None]) -> Callable[[], None]:
        with self._ticking:
            if not self._callbacks:
                self._end_ticks = every(TICK_S, self.tick)
            self._callbacks.append(callback)
        return lambda: self._forget(callback)

    def tick(self) -> None:
        """Lets the lab catch up with the wall and tells everybody who waits for that."""
        with self._ticking:
            with self._lock:
                self._catch_up()
            self._telling = threading.get_ident()
            try:
                for callback in self._callbacks:
                    callback()
            finally:
                self._telling = None

    def recorded(self, name: str) -> None:
        with self._lock:
            component = self._wires.components.get(name, name)
            self._lines[component] = self._world.clock_line(component)

    def truth(self) -> dict[str, float]:
        """The lab's hidden truth; that of the clocks as the recordings show them.

        The time zero of a recording is its own, and free clocks wander: what counts is where they were while recorded.
        """
        with self._lock:
            truth = self._world.truth()
            lines = [self._lines.get(tagger) for tagger in NODE_TAGGERS]
            zeros = [self._own.get(f"{tagger}.zero_ps") for tagger in NODE_TAGGERS]
            present = [self._world.clock_line(tagger) for tagger in NODE_TAGGERS]
        if not any(line is None for line in lines):
            then_ps, then_skew = _between([line for line in lines if line is not None])
            now_ps, _ = _between(present)
            truth["clock_offset_ps"] += then_ps - now_ps
            truth["clock_skew"] = then_skew
        alice_ps, bob_ps = (zero if isinstance(zero, int) else 0 for zero in zeros)
        truth["clock_offset_ps"] += truth["clock_skew"] * alice_ps + (alice_ps - bob_ps)
        return truth

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._ticking:
            self._callbacks.remove(callback)
            last = not self._callbacks
        if last:
            self._end_ticks()

    def _catch_up(self, slack_s: float = 0.0) -> None:
        """Lets the lab come to the present; not for less than ``slack_s`` of the wall, which a reading can do without."""
        if self._telling == threading.get_ident():
            return  # those who are told of a tick see the lab as it is at that tick
        behind_ps = int(self.now_s() * PS_PER_S) - self._world.now_ps
        if behind_ps > slack_s * self._pace * PS_PER_S:
            self._world.advance(behind_ps)
        # What the computer could not do in time is let go: the lab's time goes slower, and nothing piles up.
        self._zero_s = max(
            self._zero_s, self._pace * self._clock() - self._world.now_ps / PS_PER_S - self._longest_step_s
        )

    def _key(self, name: str) -> tuple[str, str]:
        if name in self._wires.knobs:
            return self._wires.knobs[name]
        component, _, quantity = name.rpartition(".")
        head, dot, rest = component.partition(".")
        unit = next((unit for unit in UNITS if quantity.endswith(unit)), "")
        return self._wires.components.get(head, head) + dot + rest, quantity.removesuffix(unit)

    def _turn(self, component: str, quantity: str, value: float) -> bool:
        """Turns a knob; False when the lab has none of that name."""
        try:
            self._world.set(component, quantity, value)
        except KeyError:
            return False
        return True

    def _play(self, pulser: str, played: PulseProgram) -> None:
        wires = self._wires.pulsers.get(pulser)
        if not played.slots:
            self._world.stop_playing()
        elif wires is not None:
            lit = frozenset(channel for channel, line in wires.switches.items() if self._own.get(line))
            herald = self._own.get(f"{wires.herald_logic}.herald", HeraldWindows())
            assert isinstance(herald, HeraldWindows)
            self._world.load(program_of(played, wires, lit, herald))
            self._world.start_playing()

    def _monitored_v(self, wire: AnalogWire, n: int) -> FloatArray:
        """The lab as it is now, each sample with its own noise: float64 (n,) V."""
        self._catch_up(TICK_S)
        return np.array([self._world.get(wire.component, wire.quantity) for _ in range(n)]) / wire.per_volt

    def _clicks_of(self, name: str) -> str:
        """``ch1`` for the port ``snspd.ch1.clicks``, else nothing."""
        component, _, quantity = name.rpartition(".")
        return component.rpartition(".")[2] if quantity == "clicks" else ""

    def _log_of(self, channel: str) -> ClickLog:
        return self._drain(SEEN_AT[channel][0])

    def _drain(self, component: str) -> ClickLog:
        """What the tagger has recorded up to now."""
        self._catch_up()
        log, now_ps = self._logs[component], self._world.now_ps
        if now_ps > self._drained_ps[component]:
            log.add(self._world.read_tagger(component, 0), self._drained_ps[component], now_ps)
            self._drained_ps[component] = now_ps
        return log

    def _voltage(self, value: Value) -> float:
        if isinstance(value, Waveform):
            return float(value.at(np.array([self.now_s()]))[0])
        assert isinstance(value, bool | int | float)
        return float(value)


def _between(lines: list[tuple[float, float]]) -> tuple[float, float]:
    """Offset at A's time zero and skew of B's clock against A's, from the line (offset, skew) of each."""
    (offset_a, skew_a), (offset_b, skew_b) = lines
    skew = (1 + skew_b) / (1 + skew_a) - 1
    return offset_b - offset_a * (1 + skew), skew
