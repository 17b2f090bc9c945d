"""What an emulator knows of the world: named values it reads and writes. It computes no physics itself.

A port is named ``instrument.quantity_unit`` (``laser.power_w``, ``cryostat.temperature_k``) or, for a DAQ, by its
terminal (``Dev1/ao0``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np

from ...analysis.records import PS_PER_S, FloatArray, Int64Array, TimeTags, UInt8Array

Value: TypeAlias = "bool | int | float | str | Waveform | PulseProgram | HeraldWindows"


log = logging.getLogger(__name__)
#: How often time is looked at (s of the wall).
TICK_S = 0.01
#: An analog signal above this is a digital high.
LOGIC_V = 0.5
#: How finely a signal is looked at that is only known as a function of time.
LOOK_S = 1e-5
#: Fraction of a sample by which the rounding of times may be off.
ROUNDING = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """A voltage played from a buffer.

    Attributes:
        samples_v: float64 (N,).
        rate_hz: samples a second.
        t_start_s: lab time of the first sample.
        repeats: how often the buffer is played; 0 for ever. Afterwards the last sample stays.
    """

    samples_v: FloatArray
    rate_hz: float
    t_start_s: float
    repeats: int = 1

    def at(self, t_s: FloatArray) -> FloatArray:
        """Output at lab times ``t_s`` (float64 (M,)): float64 (M,) V; before the start the first sample."""
        index = np.floor((t_s - self.t_start_s) * self.rate_hz + ROUNDING).astype(np.int64)
        n = len(self.samples_v)
        played = index % n if self.repeats == 0 else np.where(index >= n * self.repeats, n - 1, index % n)
        return self.samples_v[np.where(index < 0, 0, played)]

    def changes_s(self, t_start_s: float, t_stop_s: float) -> FloatArray:
        """Times in ``(t_start_s, t_stop_s]`` at which the output, taken as a digital level, changes."""
        first = np.ceil((t_start_s - self.t_start_s) * self.rate_hz)
        index = np.arange(max(0.0, first), (t_stop_s - self.t_start_s) * self.rate_hz + ROUNDING)
        edges_s: FloatArray = self.t_start_s + index / self.rate_hz
        before = self.at(edges_s - 0.5 / self.rate_hz) > LOGIC_V
        turned = (self.at(edges_s) > LOGIC_V) != before
        found: FloatArray = edges_s[(edges_s > t_start_s) & (edges_s <= t_stop_s) & turned]
        return found


class LevelLog:
    """When each digital line was set to what, for the last so many changes."""

    def __init__(self, length: int = 10_000) -> None:
        self._length = length
        self._changes: dict[str, deque[tuple[float, bool]]] = {}

    def set(self, name: str, t_s: float, level: bool) -> None:
        log = self._changes.setdefault(name, deque(maxlen=self._length))
        if not log or log[-1][1] != level:
            log.append((t_s, level))

    def at(self, name: str, t_s: FloatArray) -> FloatArray:
        """Level 0 or 1 at times: float64 (M,)."""
        log = tuple(self._changes[name])
        index = np.searchsorted([t for t, _ in log], t_s, side="right") - 1
        levels = np.array([level for _, level in log], np.float64)
        return np.where(index < 0, 1.0 - levels[0], levels[np.maximum(index, 0)])

    def changes_s(self, name: str, t_start_s: float, t_stop_s: float) -> FloatArray:
        """Times in ``(t_start_s, t_stop_s]`` at which the line changed."""
        return np.array([t for t, _ in self._changes[name] if t_start_s < t <= t_stop_s])

    def __contains__(self, name: str) -> bool:
        return name in self._changes


@dataclass(frozen=True, slots=True, eq=False)
class PulseSteps:
    """What one memory slot of a pulse generator plays.

    Attributes:
        duration_ns: int64 (N,).
        digital: uint8 (N,), bit k is output k.
        analog_v: float64 (N, 2) V.
        runs: how often; negative for ever.
    """

    duration_ns: Int64Array
    digital: UInt8Array
    analog_v: FloatArray
    runs: int

    def length_s(self) -> float:
        """Playing time in s, infinity for ever."""
        return float("inf") if self.runs < 0 else self.runs * float(self.duration_ns.sum()) * 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class PulseProgram:
    """What a pulse generator plays from ``t_start_s`` on: the first slot, and the second once after each trigger."""

    slots: tuple[PulseSteps, ...]
    t_start_s: float


@dataclass(frozen=True, slots=True)
class HeraldWindows:
    """What herald logic decides on: a click in each of two windows (ps after its START), told ``latency_ps`` later.

    An empty late window: one click in the early one is enough. Both empty: it decides on nothing.
    """

    early_ps: tuple[int, int] = (0, 0)
    late_ps: tuple[int, int] = (0, 0)
    latency_ps: int = 0


class Ports(Protocol):
    """The world as an emulator sees it. Unknown names raise KeyError."""

    def now_s(self) -> float:
        """Lab time."""
        ...

    def get(self, name: str) -> Value: ...

    def set(self, name: str, value: Value) -> None: ...

    def sample(self, name: str, t_s: FloatArray) -> FloatArray:
        """A signal at lab times ``t_s`` (float64 (M,)): volts, or the number of edges so far at a counter input."""
        ...

    def changes_s(self, name: str, t_start_s: float, t_stop_s: float) -> FloatArray:
        """Lab times in ``(t_start_s, t_stop_s]`` at which a digital signal changed: float64 (N,), in order."""
        ...

    def tagger_now_ps(self, name: str) -> int:
        """Time on that tagger's own clock; every click before it is known."""
        ...

    def clicks(self, name: str, t_start_ps: int, t_stop_ps: int) -> TimeTags:
        """What the tagger recorded in ``[t_start_ps, t_stop_ps)`` of its own clock, up to ``tagger_now_ps``."""
        ...

    def recorded(self, name: str) -> None:
        """The user of that tagger has been given every click up to now."""
        ...

    def on_tick(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Has ``callback`` called whenever time has passed; the answer ends that."""
        ...


@dataclass
class Bench:
    """Ports without a lab: values in a dict, signals as functions of time. For tests and for trying out drivers."""

    values: dict[str, Value] = field(default_factory=dict)
    signals: dict[str, Callable[[FloatArray], FloatArray]] = field(default_factory=dict)
    taggers: dict[str, Callable[[int, int], TimeTags]] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    lock: threading.RLock = field(default_factory=threading.RLock)
    levels: LevelLog = field(default_factory=LevelLog)

    def now_s(self) -> float:
        return self.clock()

    def get(self, name: str) -> Value:
        with self.lock:
            return self.values[name]

    def set(self, name: str, value: Value) -> None:
        with self.lock:
            self.values[name] = value
            if isinstance(value, bool):
                self.levels.set(name, self.now_s(), value)

    def changes_s(self, name: str, t_start_s: float, t_stop_s: float) -> FloatArray:
        if name in self.signals:
            t_s = np.arange(t_start_s, t_stop_s, LOOK_S)[1:]
            return t_s[1:][np.diff(self.signals[name](t_s) > LOGIC_V)]
        if name in self.levels:
            return self.levels.changes_s(name, t_start_s, t_stop_s)
        value = self.get(name)
        return value.changes_s(t_start_s, t_stop_s) if isinstance(value, Waveform) else np.empty(0)

    def sample(self, name: str, t_s: FloatArray) -> FloatArray:
        if name in self.signals:
            return self.signals[name](t_s)
        if name in self.levels:
            return self.levels.at(name, t_s)
        value = self.get(name)
        if isinstance(value, Waveform):
            return value.at(t_s)
        if isinstance(value, PulseProgram | HeraldWindows):
            raise TypeError(f"{name} is no signal")
        return np.full(len(t_s), float(value))

    def tagger_now_ps(self, name: str) -> int:
        return int(self.clock() * PS_PER_S)

    def clicks(self, name: str, t_start_ps: int, t_stop_ps: int) -> TimeTags:
        return self.taggers[name](t_start_ps, t_stop_ps)

    def recorded(self, name: str) -> None:
        """A bench keeps no record of who knows what."""

    def on_tick(self, callback: Callable[[], None]) -> Callable[[], None]:
        return every(TICK_S, callback)


def every(period_s: float, callback: Callable[[], None]) -> Callable[[], None]:
    """Calls ``callback`` again and again on a thread of its own; the answer ends that and waits for the last call."""
    stopping = threading.Event()

    def run() -> None:
        while not stopping.wait(period_s):
            try:
                callback()
            except Exception:
                log.exception("an emulator failed")

    thread = threading.Thread(target=run, name="ticks", daemon=True)
    thread.start()

    def end() -> None:
        stopping.set()
        thread.join()

    return end
