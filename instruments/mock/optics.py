"""Mock optics between source and midpoint: light source, phase shifter, polarisation controller, delay line, meters."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

from qcodes import validators as vals

from ..twin import World
from ..twin.config import LIGHT_KINDS
from ..twin.devices import C_M_PER_S
from .base import MockInstrument, emission

if TYPE_CHECKING:
    from typing import Unpack

    from qcodes.instrument import InstrumentBaseKWArgs
    from qcodes.parameters import Parameter


class MockLightSource(MockInstrument):
    """Light for correlation experiments, in front of the midpoint's splitter; seen while no pulses are played."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.emission: Parameter[bool, MockLightSource] = emission(self)
        """Whether light comes out."""
        self.kind: Parameter[str, MockLightSource] = self.add_parameter(
            "kind", vals=vals.Enum(*LIGHT_KINDS),
            get_cmd=lambda: LIGHT_KINDS[int(world.get(self.component, "kind"))],
            set_cmd=lambda kind: world.set(self.component, "kind", float(LIGHT_KINDS.index(kind))),
        )  # fmt: skip
        """Statistics of the light, or the arms it goes through."""
        self.rate: Parameter[float, MockLightSource] = self.add_parameter(
            "rate", unit="Hz", vals=vals.Numbers(0, world.config.light_source.max_rate_hz),
            get_cmd=self._get("rate"), set_cmd=self._set("rate"),
        )  # fmt: skip
        """Photons, or pairs, emitted in a second."""


class MockPhaseShifter(MockInstrument):
    """Fibre stretcher between the two arms."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.phase: Parameter[float, MockPhaseShifter] = self.add_parameter(
            "phase", unit="rad", vals=vals.Numbers(-20 * pi, 20 * pi), get_cmd=self._get("phase"), set_cmd=self._set("phase")
        )  # fmt: skip
        """Optical phase added between the arms."""


class MockPolarizationController(MockInstrument):
    """Quarter-, half- and quarter-wave paddles in a node's arm (components ``alice_polarization``, ``bob_polarization``)."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.angle1, self.angle2, self.angle3 = (self._angle(f"angle{axis}") for axis in "123")

    def _angle(self, name: str) -> Parameter[float, MockPolarizationController]:
        return self.add_parameter(
            name, unit="deg", vals=vals.Numbers(-180, 180), get_cmd=self._get(name), set_cmd=self._set(name)
        )


class MockDelayLine(MockInstrument):
    """Free-space delay in a node's arm (components ``alice_delay``, ``bob_delay``)."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.delay: Parameter[float, MockDelayLine] = self.add_parameter(
            "delay", unit="s", vals=vals.Numbers(0, 5e-6), get_cmd=self._get("delay"), set_cmd=self._set("delay")
        )
        """How much later the arm's light arrives."""


class MockFrequencyShifter(MockInstrument):
    """Acousto-optic shifter in the way of a memory's weak input pulses (components ``alice_shifter``, ``bob_shifter``)."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.frequency: Parameter[float, MockFrequencyShifter] = self.add_parameter(
            "frequency", unit="Hz", vals=vals.Numbers(-500e6, 500e6), get_cmd=self._get("frequency"),
            set_cmd=self._set("frequency"),
        )  # fmt: skip
        """How far the input pulses lie above the pulses that burn."""


class MockWavemeter(MockInstrument):
    """What the laser's frequency really is (component ``laser``)."""

    def __init__(
        self, name: str, world: World, component: str | None = None, **kwargs: Unpack[InstrumentBaseKWArgs]
    ) -> None:
        super().__init__(name, world, component, **kwargs)
        self.frequency: Parameter[float, MockWavemeter] = self.add_parameter(
            "frequency", unit="Hz", get_cmd=self._get("true_frequency")
        )
        """Present frequency, with all drift."""
        self.wavelength: Parameter[float, MockWavemeter] = self.add_parameter(
            "wavelength", unit="m", get_cmd=lambda: C_M_PER_S / world.get(self.component, "true_frequency")
        )
        """Vacuum wavelength."""
