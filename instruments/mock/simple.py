"""Mock instruments that only have knobs and readings: laser, memory, cryostat, pair source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qcodes import validators as vals

from ..twin import World
from ..twin.config import PAIR_SITES
from .base import MockInstrument, emission

if TYPE_CHECKING:
    from typing import Unpack

    from qcodes.instrument import InstrumentBaseKWArgs
    from qcodes.parameters import Parameter


class MockLaser(MockInstrument):
    """The excitation laser shared by both nodes."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.emission: Parameter[bool, MockLaser] = emission(self)
        """Whether light comes out."""
        self.power: Parameter[float, MockLaser] = self.add_parameter(
            "power", unit="W", vals=vals.Numbers(0, world.config.laser.max_power_w), get_cmd=self._get("power"), set_cmd=self._set("power")
        )  # fmt: skip
        """Optical power before the pulse shaper."""
        self.frequency: Parameter[float, MockLaser] = self.add_parameter(
            "frequency", unit="Hz", vals=vals.Numbers(190e12, 200e12), get_cmd=self._get("frequency"), set_cmd=self._set("frequency")
        )  # fmt: skip
        """Optical frequency."""
        self.lock: Parameter[bool, MockLaser] = self.add_parameter(
            "lock", vals=vals.Bool(), get_cmd=lambda: bool(world.get(self.component, "lock")),
            set_cmd=lambda on: world.set(self.component, "lock", float(on)),
        )  # fmt: skip
        """Whether the frequency is locked to its reference."""


class MockErbiumMemory(MockInstrument):
    """One erbium memory chip with its electrode and magnet."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.electrode_voltage: Parameter[float, MockErbiumMemory] = self.add_parameter(
            "electrode_voltage", unit="V", vals=vals.Numbers(-10, 10),
            get_cmd=self._get("electrode_voltage"), set_cmd=self._set("electrode_voltage"),
        )  # fmt: skip
        """Stark electrode: shifts the optical line."""
        self.magnetic_field: Parameter[float, MockErbiumMemory] = self.add_parameter(
            "magnetic_field", unit="T", vals=vals.Numbers(0, 1),
            get_cmd=self._get("magnetic_field"), set_cmd=self._set("magnetic_field"),
        )  # fmt: skip
        """Splits the spin states and shifts the optical line."""
        self.resonance_frequency: Parameter[float, MockErbiumMemory] = self.add_parameter(
            "resonance_frequency", unit="Hz", get_cmd=self._get("resonance_frequency")
        )
        """Optical line of the bright state."""
        self.temperature: Parameter[float, MockErbiumMemory] = self.add_parameter(
            "temperature", unit="K", get_cmd=lambda: world.get("cryostat", "temperature")
        )
        """Temperature of the chip."""


class MockTemperatureController(MockInstrument):
    """The cryostat both chips sit in."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        cryostat = world.config.cryostat
        self.temperature: Parameter[float, MockTemperatureController] = self.add_parameter(
            "temperature", unit="K", get_cmd=self._get("temperature")
        )
        """Present temperature."""
        self.setpoint: Parameter[float, MockTemperatureController] = self.add_parameter(
            "setpoint", unit="K", vals=vals.Numbers(cryostat.base_temperature_k, cryostat.max_temperature_k),
            get_cmd=self._get("setpoint"), set_cmd=self._set("setpoint"),
        )  # fmt: skip
        """Temperature the cryostat goes to."""


class MockPairSource(MockInstrument):
    """Continuously pumped source of photon pairs, one photon to each node."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.emission: Parameter[bool, MockPairSource] = emission(self)
        """Whether the pump is on."""
        self.pump_power: Parameter[float, MockPairSource] = self.add_parameter(
            "pump_power", unit="W", vals=vals.Numbers(0, world.config.pair_source.max_pump_power_w),
            get_cmd=self._get("pump_power"), set_cmd=self._set("pump_power"),
        )  # fmt: skip
        """Pump power; the pair rate is proportional to it."""
        self.site: Parameter[str, MockPairSource] = self.add_parameter(
            "site", vals=vals.Enum(*PAIR_SITES),
            get_cmd=lambda: PAIR_SITES[int(world.get(self.component, "site"))],
            set_cmd=lambda site: world.set(self.component, "site", float(PAIR_SITES.index(site))),
        )  # fmt: skip
        """Where the source stands: an optical switch sends its pairs out from the midpoint or from a node's own site."""
