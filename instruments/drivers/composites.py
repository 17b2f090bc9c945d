"""Instruments made of other instruments: the memory chip and the cryostat, named once, whatever drives them.

The parts are parameters of instruments the station has loaded before, as ``instrument.module.parameter``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qcodes.instrument import Instrument, InstrumentBaseKWArgs
from qcodes.parameters import Parameter, ParameterBase
from qcodes.validators import Bool, Numbers
from typing_extensions import Unpack

from ..errors import ConfigError


def find_parameter(owner: str, path: str) -> ParameterBase:
    """The parameter ``instrument.module.parameter``. Raises ConfigError naming what there is."""
    head, *rest = path.split(".")
    if not Instrument.exist(head):
        raise ConfigError(f"{owner}: {path!r}: no instrument {head!r} is loaded before it in the station file")
    node: Any = Instrument.find_instrument(head)
    for part in rest:
        children = {**node.submodules, **node.parameters} if hasattr(node, "submodules") else {}
        if part not in children:
            raise ConfigError(f"{owner}: {path!r}: there is no {part!r}; there are {', '.join(children)}")
        node = children[part]
    if not isinstance(node, ParameterBase):
        raise ConfigError(f"{owner}: {path!r} is not a parameter")
    return node


class Composite(Instrument):
    """An instrument without a connection of its own."""

    def get_idn(self) -> dict[str, str | None]:
        return {"vendor": "erbia", "model": type(self).__name__, "serial": None, "firmware": None}

    def borrow(
        self, name: str, path: str, unit: str, scale: float = 1.0, vals: Numbers | None = None
    ) -> Parameter[float, Any]:
        """A parameter that is ``scale`` times another instrument's; settable when that one is."""
        source = find_parameter(self.name, path)
        settable: dict[str, Any] = {"set_cmd": lambda value: source.set(value / scale)} if source.settable else {}
        return self.add_parameter(name, unit=unit, get_cmd=lambda: scale * source.get(), vals=vals, **settable)


class Cryostat(Composite):
    """A TemperatureController over any thermometer and set point, e.g. of a Lake Shore 336.

    Args:
        temperature: e.g. ``lakeshore.A.temperature``.
        setpoint: e.g. ``lakeshore.output_1.setpoint``.
        limits_k: lowest and highest set point allowed.
    """

    def __init__(
        self,
        name: str,
        *,
        temperature: str,
        setpoint: str,
        limits_k: tuple[float, float] = (0.0, 320.0),
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, **kwargs)
        self.temperature = self.borrow("temperature", temperature, "K")
        """Present temperature."""
        self.setpoint = self.borrow("setpoint", setpoint, "K", vals=Numbers(*limits_k))
        """Temperature the controller goes to."""


class PumpedPairSource(Composite):
    """A PairSource: a nonlinear crystal behind a pump laser.

    Args:
        emission: e.g. ``pump.emission``.
        pump_power: e.g. ``pump.power`` (W).
        transmission: from the laser's output to the crystal.
        largest_power_w: most the crystal stands.
    """

    def __init__(
        self,
        name: str,
        *,
        emission: str,
        pump_power: str,
        transmission: float = 1.0,
        largest_power_w: float = 50e-3,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, **kwargs)
        switch = find_parameter(name, emission)
        self.emission: Parameter[bool, PumpedPairSource] = self.add_parameter(
            "emission", get_cmd=switch.get, set_cmd=switch.set, vals=Bool()
        )
        """Whether the pump is on."""
        self.pump_power = self.borrow(
            "pump_power", pump_power, "W", scale=transmission, vals=Numbers(0, largest_power_w)
        )
        """Pump power at the crystal."""


class ErbiumMemory(Composite):
    """A QuantumMemory: the chip over a DAQ electrode, a magnet, a thermometer and, if wired, a microwave source.

    Args:
        electrode: e.g. ``electrode_a.voltage`` (V).
        magnet: e.g. ``magnet.current`` (A), with ``tesla_per_unit``.
        temperature: e.g. ``cryostat.temperature`` (K).
        calibration: ``zero_field_hz`` (optical line at 0 V and 0 T), ``stark_hz_per_v``, ``zeeman_hz_per_t``, from a
            measurement of this chip.
        laser: e.g. ``laser.frequency`` (Hz), the light meant for this chip; empty when there is none.
        spin_drive: e.g. ``microwave.frequency`` (Hz); empty when there is none.
        limits_v: lowest and highest electrode voltage the chip stands.
    """

    def __init__(
        self,
        name: str,
        *,
        electrode: str,
        magnet: str,
        temperature: str,
        calibration: Mapping[str, float],
        tesla_per_unit: float = 1.0,
        laser: str = "",
        spin_drive: str = "",
        limits_v: tuple[float, float] = (-10.0, 10.0),
        largest_field_t: float = 1.0,
        **kwargs: Unpack[InstrumentBaseKWArgs],
    ) -> None:
        super().__init__(name, **kwargs)
        wanted = {"zero_field_hz", "stark_hz_per_v", "zeeman_hz_per_t"}
        if set(calibration) != wanted:
            raise ConfigError(
                f"{name}: calibration needs exactly {', '.join(sorted(wanted))}, got {', '.join(calibration)}"
            )
        self._calibration = dict(calibration)
        self.electrode_voltage = self.borrow("electrode_voltage", electrode, "V", vals=Numbers(*limits_v))
        """Stark electrode: shifts the optical line."""
        self.magnetic_field = self.borrow(
            "magnetic_field", magnet, "T", scale=tesla_per_unit, vals=Numbers(0, largest_field_t)
        )
        """Splits the spin states and shifts the optical line."""
        self.temperature = self.borrow("temperature", temperature, "K")
        """Of the chip."""
        self.resonance_frequency: Parameter[float, ErbiumMemory] = self.add_parameter(
            "resonance_frequency", unit="Hz", get_cmd=self._line_hz
        )
        """Where the calibration puts the optical line at the present voltage and field."""
        if laser:
            light = find_parameter(name, laser)
            self.detuning: Parameter[float, ErbiumMemory] = self.add_parameter(
                "detuning",
                unit="Hz",
                get_cmd=lambda: light.get() - self._line_hz(),
                set_cmd=lambda hz: light.set(self._line_hz() + hz),
            )
            """Laser minus the calibrated line; setting it tunes the laser."""
        if spin_drive:
            self.spin_frequency = self.borrow("spin_frequency", spin_drive, "Hz")
            """Of the microwave that turns the spin."""

    def _line_hz(self) -> float:
        c = self._calibration
        shift_hz = c["stark_hz_per_v"] * self.electrode_voltage.get() + c["zeeman_hz_per_t"] * self.magnetic_field.get()
        return c["zero_field_hz"] + shift_hz
