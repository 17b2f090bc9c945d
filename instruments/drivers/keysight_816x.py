"""Keysight/Agilent 8163/8164/8166 mainframes and N77xx: tunable laser, attenuator and switch modules, one class each.

Each class is one module in ``slot`` of the mainframe at ``address`` (N77xx: slot = port number). SCPI, command names of
the 8163/4/6 programming guide.
"""

from __future__ import annotations

from qcodes.instrument import VisaInstrumentKWArgs
from qcodes.validators import Bool, Ints, Numbers
from typing_extensions import Unpack

from ..errors import BadReply
from .replies import flag, number, one_of
from .robust_visa import RobustVisa

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0


class KeysightModule(RobustVisa):
    """One module of a mainframe."""

    def __init__(self, name: str, address: str, *, slot: int = 1, **kwargs: Unpack[VisaInstrumentKWArgs]) -> None:
        super().__init__(name, address, **kwargs)
        self.slot = slot

    def limits(self, header: str) -> Numbers:
        """The range the module reports for a setting."""
        return Numbers(*(self.reading(f"{header}? {end}", number)() for end in ("MIN", "MAX")))


class KeysightLaser(KeysightModule):
    """A Laser (81600B, 8194x, N777x). Power is set in W whatever the front panel shows."""

    def __init__(self, name: str, address: str, *, slot: int = 1, **kwargs: Unpack[VisaInstrumentKWArgs]) -> None:
        super().__init__(name, address, slot=slot, **kwargs)
        source = f"SOUR{slot}"
        self.emission = self.add_setting("emission", f"{source}:POW:STAT", flag, "{:d}", vals=Bool())
        """Laser on."""
        self.power = self.add_parameter(
            "power",
            unit="W",
            get_cmd=self._get_power_w,
            set_cmd=self.writing(f"{source}:POW {{:.6e}}W"),
            vals=Numbers(0, 0.1),
        )
        """Output power set point."""
        self.wavelength = self.add_parameter(
            "wavelength",
            unit="m",
            get_cmd=self.reading(f"{source}:WAV?", number),
            set_cmd=self.settling(f"{source}:WAV {{:.12e}}"),
            vals=self.limits(f"{source}:WAV"),
        )
        """Vacuum wavelength; setting it returns when the laser has tuned."""
        shortest_m, longest_m = self.wavelength.vals.valid_values  # type: ignore[union-attr]
        self.frequency = self.add_parameter(
            "frequency",
            unit="Hz",
            get_cmd=lambda: SPEED_OF_LIGHT_M_PER_S / self.wavelength.get(),
            set_cmd=lambda hz: self.wavelength.set(SPEED_OF_LIGHT_M_PER_S / hz),
            vals=Numbers(SPEED_OF_LIGHT_M_PER_S / longest_m, SPEED_OF_LIGHT_M_PER_S / shortest_m),
        )
        """Optical frequency."""

    def _get_power_w(self) -> float:
        source = f"SOUR{self.slot}:POW"
        with self.exclusive():
            in_dbm = self.reading(f"{source}:UNIT?", one_of({"0": True, "+0": True, "1": False, "+1": False}))()
            value = self.reading(f"{source}?", number)()
        return 1e-3 * 10 ** (value / 10) if in_dbm else value


class KeysightAttenuator(KeysightModule):
    """An Attenuator (8157xA, N775x, N776x)."""

    def __init__(self, name: str, address: str, *, slot: int = 1, **kwargs: Unpack[VisaInstrumentKWArgs]) -> None:
        super().__init__(name, address, slot=slot, **kwargs)
        self.attenuation = self.add_parameter(
            "attenuation",
            unit="dB",
            get_cmd=self.reading(f"INP{slot}:ATT?", number),
            set_cmd=self.settling(f"INP{slot}:ATT {{:.4f}}"),
            vals=self.limits(f"INP{slot}:ATT"),
        )
        """Attenuation at ``wavelength``; setting it returns when the filter is there."""
        self.wavelength = self.add_setting(
            "wavelength", f"INP{slot}:WAV", number, "{:.9e}", unit="m", vals=Numbers(1.2e-6, 1.7e-6)
        )
        """Wavelength the calibration is taken at."""
        self.shutter_open = self.add_setting("shutter_open", f"OUTP{slot}:STAT", flag, "{:d}", vals=Bool())
        """Light passes."""


class KeysightSwitch(KeysightModule):
    """An OpticalSwitch (8159x): one common port ``A`` to ``positions`` outputs."""

    def __init__(
        self, name: str, address: str, *, slot: int = 1, positions: int = 4, **kwargs: Unpack[VisaInstrumentKWArgs]
    ) -> None:
        super().__init__(name, address, slot=slot, **kwargs)
        self.position = self.add_parameter(
            "position",
            get_cmd=self.reading(f"ROUT{slot}:CHAN1?", self._parse_route),
            set_cmd=self.settling(f"ROUT{slot}:CHAN1 A,{{:d}}"),
            vals=Ints(1, positions),
        )
        """Output the common port is connected to, 1 …; setting it returns when it has switched."""

    def _parse_route(self, text: str) -> int:
        common, _, output = text.strip().partition(",")
        if common != "A" or not output.isdigit():
            raise BadReply(self.name, "expected a route such as A,2", "ROUT?", text)
        return int(output)
