"""Mock multifunction DAQ: an analog output on a knob of the lab, an input on a reading, a counter, digital lines."""

from __future__ import annotations

from functools import partial
from math import ceil
from typing import TYPE_CHECKING

from qcodes import validators as vals

from ..errors import ConfigError
from ..twin import World
from .base import MockInstrument
from .pacing import MockLabClock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from qcodes.instrument import InstrumentBaseKWArgs
    from qcodes.parameters import Parameter

FULL_SCALE_V = 10.0
#: One step of a 16-bit converter over ±10 V.
LSB_V = 2 * FULL_SCALE_V / 2**16
RAMP_STEP_S = 0.005


class MockAnalogOutput(MockInstrument):
    """An AnalogOutput wired to a knob of the lab, which becomes ``per_volt`` times the voltage.

    Args:
        component, quantity: the knob, e.g. ``alice_memory`` and ``electrode_voltage``.
        per_volt: in the unit of the knob.
        slew_rate_v_per_s: initial and highest slew rate.

    Raises:
        ConfigError: the lab has no such knob.
    """

    def __init__(
        self,
        name: str,
        world: World,
        component: str | None = None,
        *,
        quantity: str = "electrode_voltage",
        per_volt: float = 1.0,
        slew_rate_v_per_s: float = 100.0,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        _check_known(world, name, self.component, quantity)
        self._quantity, self._per_volt, self._clock = quantity, per_volt, MockLabClock(world)
        self.slew_rate: Parameter[float, MockAnalogOutput] = self.add_parameter(
            "slew_rate", unit="V/s", vals=vals.Numbers(1e-6, slew_rate_v_per_s), set_cmd=None, initial_value=slew_rate_v_per_s
        )  # fmt: skip
        """Speed of every voltage change."""
        self.voltage: Parameter[float, MockAnalogOutput] = self.add_parameter(
            "voltage", unit="V", vals=vals.Numbers(-FULL_SCALE_V, FULL_SCALE_V), get_cmd=self._level_v, set_cmd=self._ramp_to
        )  # fmt: skip
        """Output voltage; setting it lets the lab time of the ramp pass."""

    def _level_v(self) -> float:
        return self.world.get(self.component, self._quantity) / self._per_volt

    def _ramp_to(self, target_v: float) -> None:
        start_v = self._level_v()
        steps = max(1, ceil(abs(target_v - start_v) / (self.slew_rate() * RAMP_STEP_S) - 1e-9))
        for k in range(1, steps):
            self._put(start_v + (target_v - start_v) * k / steps)
            self._clock.sleep(RAMP_STEP_S)
        self._put(target_v)

    def _put(self, level_v: float) -> None:
        self.world.set(self.component, self._quantity, self._per_volt * level_v)


class MockAnalogInput(MockInstrument):
    """An AnalogInput wired to something the lab can read: 16 bits over ±10 V.

    Args:
        component, quantity: what it monitors, e.g. ``laser`` and ``measured_power``.
        volts_per_unit: e.g. 1000 for a photodiode of 1 V/mW.

    Raises:
        ConfigError: the lab has no such reading.
    """

    def __init__(
        self,
        name: str,
        world: World,
        component: str = "laser",
        *,
        quantity: str = "measured_power",
        volts_per_unit: float = 1000.0,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        _check_known(world, name, component, quantity)
        self._quantity, self._volts_per_unit = quantity, volts_per_unit
        self.voltage: Parameter[float, MockAnalogInput] = self.add_parameter(
            "voltage", unit="V", get_cmd=self._sampled_v
        )
        """The input now."""

    def _sampled_v(self) -> float:
        volts = self._volts_per_unit * self.world.get(self.component, self._quantity)
        return LSB_V * round(min(max(volts, -FULL_SCALE_V), FULL_SCALE_V - LSB_V) / LSB_V)


class MockEdgeCounter(MockInstrument):
    """An EdgeCounter at the output of a detector (``snspd.ch1`` …): it counts that detector's very clicks."""

    def __init__(
        self, name: str, world: World, component: str = "snspd.ch1", **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        _check_known(world, name, component, "bias")
        self._detector, self._clock = component.removeprefix("snspd."), MockLabClock(world)
        self._zero = world.clicks(self._detector)
        self.integration_time: Parameter[float, MockEdgeCounter] = self.add_parameter(
            "integration_time", unit="s", vals=vals.Numbers(1e-3, 100), set_cmd=None, initial_value=0.1
        )
        """Counting time of ``count_rate``."""
        self.counts: Parameter[int, MockEdgeCounter] = self.add_parameter(
            "counts", get_cmd=lambda: world.clicks(self._detector) - self._zero
        )
        """Clicks since the counter was opened."""
        self.count_rate: Parameter[float, MockEdgeCounter] = self.add_parameter(
            "count_rate", unit="Hz", get_cmd=self._rate_hz, snapshot_get=False
        )
        """Clicks a second; lets ``integration_time`` of lab time pass."""

    def _rate_hz(self) -> float:
        before = self.counts.get()
        self._clock.sleep(self.integration_time())
        return (self.counts.get() - before) / self.integration_time()


class MockDigitalLines(MockInstrument):
    """DigitalLines wired to what in the lab is on or off: high is on.

    Args:
        lines: name → ``component.knob``, e.g. ``{"shutter": "attenuator.shutter_open"}``.

    Raises:
        ConfigError: the lab has no such knob.
    """

    def __init__(
        self,
        name: str,
        world: World,
        component: str | None = None,
        *,
        lines: Mapping[str, str],
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.lines = dict(lines)
        for line, wired in self.lines.items():
            owner, _, knob = wired.rpartition(".")
            _check_known(world, name, owner, knob)
            level: Parameter[bool, MockDigitalLines] = self.add_parameter(
                line, vals=vals.Bool(), set_cmd=partial(self._drive, owner, knob)
            )
            setattr(self, line, level)

    def _drive(self, component: str, knob: str, high: bool) -> None:
        self.world.set(component, knob, float(high))


def _check_known(world: World, name: str, component: str, quantity: str) -> None:
    try:
        world.get(component, quantity)
    except KeyError:
        raise ConfigError(f"{name}: the simulated lab has no {component}.{quantity} to be wired to") from None
