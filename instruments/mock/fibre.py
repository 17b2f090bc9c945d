"""Mock fibre optics in the excitation laser's beam: attenuator with shutter, power meter behind it, switch to the memories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qcodes import validators as vals

from ..twin import World
from .base import MockInstrument

if TYPE_CHECKING:
    from typing import Unpack

    from qcodes.instrument import InstrumentBaseKWArgs
    from qcodes.parameters import Parameter

POSITIONS = 4
DEFAULT_WAVELENGTH_M = 1537e-9


class MockAttenuator(MockInstrument):
    """An Attenuator with a shutter; all light of the excitation laser goes through it (component ``attenuator``)."""

    def __init__(
        self, name: str, world: World, component: str = "attenuator", **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.attenuation: Parameter[float, MockAttenuator] = self.add_parameter(
            "attenuation", unit="dB", vals=vals.Numbers(0, 60),
            get_cmd=self._get("attenuation"), set_cmd=self._set("attenuation"),
        )  # fmt: skip
        """Between input and output."""
        self.shutter_open: Parameter[bool, MockAttenuator] = self.add_parameter(
            "shutter_open", vals=vals.Bool(),
            get_cmd=lambda: bool(world.get(component, "shutter_open")),
            set_cmd=lambda is_open: world.set(component, "shutter_open", float(is_open)),
        )  # fmt: skip
        """Light passes."""


class MockOpticalSwitch(MockInstrument):
    """An OpticalSwitch behind the attenuator: output 1 leads to the memories, the others lead nowhere."""

    def __init__(
        self, name: str, world: World, component: str = "switch", **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.position: Parameter[int, MockOpticalSwitch] = self.add_parameter(
            "position", vals=vals.Ints(1, POSITIONS),
            get_cmd=lambda: int(world.get(component, "position")),
            set_cmd=lambda position: world.set(component, "position", float(position)),
        )  # fmt: skip
        """Output the laser is sent to."""


class MockPowerMeter(MockInstrument):
    """A PowerMeter behind the attenuator (component ``laser``): what arrives there, with the meter's noise."""

    def __init__(
        self, name: str, world: World, component: str = "laser", **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.power: Parameter[float, MockPowerMeter] = self.add_parameter(
            "power", unit="W", get_cmd=self._get("measured_power")
        )
        """Optical power."""
        self.wavelength: Parameter[float, MockPowerMeter] = self.add_parameter(
            "wavelength", unit="m", vals=vals.Numbers(185e-9, 25e-6), set_cmd=None, initial_value=DEFAULT_WAVELENGTH_M
        )
        """Wavelength the responsivity is taken at; the mock has the same at all."""
