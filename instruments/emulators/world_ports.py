"""Ports of a simulated lab: emulators turn its knobs, read its detectors and stream its clicks, at the pace of the wall.

A port ``component.quantity_unit`` is the lab's knob ``(component, quantity)``; what the lab does not know (a diode
current, a piezo voltage) is remembered here, as the device itself would. Pulse programs are not handed on yet.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...analysis.records import PS_PER_S, FloatArray, TimeTags
from ..twin import World
from .ports import PulseProgram, Value, Waveform

UNITS = ("_w", "_hz", "_a", "_v", "_k", "_t", "_db", "_dbm", "_deg")


@dataclass(frozen=True, slots=True)
class AnalogWire:
    """A DAQ output wired to a knob of the lab: the knob is ``per_volt`` times the voltage."""

    component: str
    quantity: str
    per_volt: float = 1.0


class WorldPorts:
    """Ports over a World.

    Args:
        world: the lab.
        components: instrument name → the lab's component, where they differ.
        analog: DAQ output → knob.
        counters: counter terminal → detector channel whose clicks it counts, e.g. ``Dev1/ctr0`` → ``ch1``.
    """

    def __init__(
        self,
        world: World,
        components: Mapping[str, str] | None = None,
        analog: Mapping[str, AnalogWire] | None = None,
        counters: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world, self._clock = world, clock
        self._components, self._analog, self._counters = (
            dict(components or {}),
            dict(analog or {}),
            dict(counters or {}),
        )
        self._zero_s = clock() - world.now_ps / PS_PER_S
        self._lock = threading.RLock()
        self._own: dict[str, Value] = {}
        self._tags: dict[str, TimeTags] = {}
        self._known_ps: dict[str, int] = {}
        self._edges: dict[str, tuple[float, float]] = {}

    def now_s(self) -> float:
        return self._clock() - self._zero_s

    def get(self, name: str) -> Value:
        with self._lock:
            self._catch_up()
            component, quantity = self._key(name)
            try:
                return self._world.get(component, quantity)
            except KeyError:
                return self._own[name]

    def set(self, name: str, value: Value) -> None:
        with self._lock:
            self._catch_up()
            wire = self._analog.get(name)
            if wire is not None:
                self._own[name] = value
                self._world.set(wire.component, wire.quantity, wire.per_volt * self._voltage(value))
                return
            component, quantity = self._key(name)
            try:
                assert not isinstance(value, str | Waveform | PulseProgram)
                self._world.set(component, quantity, float(value))
            except (KeyError, AssertionError):
                self._own[name] = value

    def sample(self, name: str, t_s: FloatArray) -> FloatArray:
        with self._lock:
            channel = self._counters.get(name) or self._clicks_of(name)
            if channel:
                return self._count(name, channel, t_s)
            value = self.get(name)
        if isinstance(value, Waveform):
            return value.at(t_s)
        assert not isinstance(value, PulseProgram)
        return np.full(len(t_s), float(value))

    def tagger_now_ps(self, name: str) -> int:
        with self._lock:
            component = self._components.get(name, name)
            self._world.start_tagger(component)  # a real tagger's clock runs as soon as it has power
            self._catch_up()
            block = self._world.read_tagger(component, 0)
            self._tags[name] = TimeTags.concatenate([self._tags.get(name, TimeTags.empty()), block.tags])
            self._known_ps[name] = block.t_stop_ps
            return block.t_stop_ps

    def clicks(self, name: str, t_start_ps: int, t_stop_ps: int) -> TimeTags:
        with self._lock:
            if t_stop_ps > self._known_ps.get(name, -1):
                self.tagger_now_ps(name)
            tags = self._tags[name]
            # A second channel may still ask for the last second; older clicks are not needed any more.
            self._tags[name] = tags.between(t_start_ps - PS_PER_S, np.iinfo(np.int64).max)
            return tags.between(t_start_ps, t_stop_ps)

    def _catch_up(self) -> None:
        behind_ps = int(self.now_s() * PS_PER_S) - self._world.now_ps
        if behind_ps > 0:
            self._world.advance(behind_ps)

    def _key(self, name: str) -> tuple[str, str]:
        component, _, quantity = name.rpartition(".")
        head, dot, rest = component.partition(".")
        unit = next((unit for unit in UNITS if quantity.endswith(unit)), "")
        return self._components.get(head, head) + dot + rest, quantity.removesuffix(unit)

    def _clicks_of(self, name: str) -> str:
        """``ch1`` for the port ``snspd.ch1.clicks``, else nothing."""
        component, _, quantity = name.rpartition(".")
        return component.rpartition(".")[2] if quantity == "clicks" else ""

    def _count(self, name: str, channel: str, t_s: FloatArray) -> FloatArray:
        """Clicks so far at ascending times: at the rate the detector has now, since the last time asked."""
        self._catch_up()
        counted, since_s = self._edges.get(name, (0.0, float(t_s[0])))
        counts = counted + self._world.expected_rate_hz(channel) * np.maximum(t_s - since_s, 0.0)
        self._edges[name] = (float(counts[-1]), max(since_s, float(t_s[-1])))
        return counts

    def _voltage(self, value: Value) -> float:
        if isinstance(value, Waveform):
            return float(value.at(np.array([self.now_s()]))[0])
        assert isinstance(value, bool | int | float)
        return float(value)
