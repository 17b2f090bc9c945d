"""Passive taps: what a real instrument was set to, or last said, turns the knob of the same name in the simulated lab."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import Any, Protocol

from qcodes.instrument import InstrumentBase
from qcodes.parameters import ParameterBase

POLL_S = 0.05
#: A parameter, and the component and the knob of the lab it turns.
Knob = tuple[ParameterBase, str, str]


class Knobs(Protocol):
    """The part of a World a tap needs; both raise KeyError for a knob the lab has not."""

    def get(self, component: str, parameter: str) -> float: ...
    def set(self, component: str, parameter: str, value: float) -> None: ...


class Taps:
    """Mirrors real instruments into a simulated lab, at once when they are set, and from their caches every 50 ms.

    Nothing is ever asked of the instruments: a tap reads caches only.
    """

    def __init__(self, instruments: Iterable[InstrumentBase], world: Knobs) -> None:
        self._world = world
        self._knobs: dict[str, list[Knob]] = {}
        for instrument in instruments:
            self.mirror(instrument)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._poll, name="taps", daemon=True)
        self._thread.start()

    def mirror(self, instrument: InstrumentBase) -> None:
        """Mirrors one instrument from now on, in place of an older one of that name."""
        knobs = _knobs(instrument, self._world)
        for parameter, component, quantity in knobs:
            parameter.on_set_callback = partial(self._mirror_set, component, quantity)
        self._knobs = self._knobs | {instrument.name: knobs}
        self.refresh()

    @property
    def mirrored(self) -> tuple[str, ...]:
        """Full names of the parameters that are mirrored."""
        return tuple(parameter.full_name for parameter, _, _ in self._all())

    def refresh(self) -> None:
        """Brings the simulated lab up to what is known of the instruments."""
        for parameter, component, quantity in self._all():
            value = parameter.cache.get(get_if_invalid=False)
            if isinstance(value, bool | int | float):
                self._world.set(component, quantity, float(value))

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()
        for parameter, _, _ in self._all():
            parameter.on_set_callback = None

    def _all(self) -> list[Knob]:
        return [knob for knobs in self._knobs.values() for knob in knobs]

    def _mirror_set(self, component: str, quantity: str, parameter: ParameterBase, value: Any) -> None:
        self._world.set(component, quantity, float(value))

    def _poll(self) -> None:
        while not self._stopping.wait(POLL_S):
            self.refresh()


def _knobs(instrument: InstrumentBase, world: Knobs) -> list[Knob]:
    """Parameters of an instrument (and of its modules) that the simulated lab has a knob for: the same names."""
    holders = [(instrument.short_name, instrument)]
    holders += [(f"{instrument.short_name}.{name}", module) for name, module in instrument.instrument_modules.items()]
    found = []
    for component, holder in holders:
        for quantity, parameter in holder.parameters.items():
            if parameter.settable and _has(world, component, quantity):
                found.append((parameter, component, quantity))
    return found


def _has(world: Knobs, component: str, quantity: str) -> bool:
    try:
        world.get(component, quantity)
    except KeyError:
        return False
    return True
