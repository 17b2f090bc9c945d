"""A Keysight 8164 mainframe on the wire with a tunable laser, an attenuator and a switch in its slots."""

from __future__ import annotations

import math
import re

from .motion import After, Motion, Slew
from .ports import Ports
from .scpi import INTERLOCKED, Command, ScpiDevice, ScpiError, in_range

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
WAVELENGTH_RANGE_M = (1450e-9, 1650e-9)
START_WAVELENGTH_M = 1550e-9
POWER_RANGE_W = (1e-6, 20e-3)
ATTENUATION_RANGE_DB = (0.0, 60.0)
POSITIONS = 4
#: Of an 81600B, an 8157xA and an 8159xB: typical figures, not verified.
TUNING, ATTENUATING, SWITCHING = Slew(80e-9), Slew(1000.0), After(0.01)


class Keysight816xDevice(ScpiDevice):
    """Ports: ``<laser>.emission``, ``.power_w``, ``.frequency_hz``; ``<voa>.attenuation_db``, ``.shutter_open``;
    ``<switch>.position``. The three are in slots 1, 2 and 3; ``*OPC?`` says whether all are where they were told to go."""

    def __init__(
        self, ports: Ports, laser: str = "laser", voa: str = "voa", switch: str = "switch", latency_s: float = 0.0
    ) -> None:
        self._ports, self._laser, self._voa = ports, laser, voa
        self._in_dbm, self._voa_wavelength_m = True, 1550e-9
        self.interlock_open = False
        self._wavelength_m = Motion(
            ports.now_s, lambda m: ports.set(f"{laser}.frequency_hz", SPEED_OF_LIGHT_M_PER_S / m), START_WAVELENGTH_M
        )
        self._attenuation_db = Motion(ports.now_s, lambda db: ports.set(f"{voa}.attenuation_db", db), 0.0)
        self._position = Motion(ports.now_s, lambda output: ports.set(f"{switch}.position", int(output)), 1)
        super().__init__(
            "Agilent Technologies,8164B,DE12345678,V5.25",
            {
                "*OPC": Command(query=lambda _: f"{self._is_settled():d}"),
                "SOURce1:POWer:STATe": Command(lambda _: self._flag(f"{laser}.emission"), self._set_emission),
                "SOURce1:POWer:UNIT": Command(lambda _: f"+{not self._in_dbm:d}", self._set_unit),
                "SOURce1:POWer": Command(lambda _: self._power(), self._set_power),
                "SOURce1:WAVelength": Command(self._wavelength, self._set_wavelength),
                "INPut2:ATTenuation": Command(self._attenuation, self._set_attenuation),
                "INPut2:WAVelength": Command(lambda _: f"{self._voa_wavelength_m:+.8E}", self._set_voa_wavelength),
                "OUTPut2:STATe": Command(lambda _: self._flag(f"{voa}.shutter_open"), self._set_shutter),
                "ROUTe3:CHANnel1": Command(lambda _: f"A,{self._position.present():.0f}", self._set_route),
            },
            latency_s,
        )
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        self._in_dbm, self._voa_wavelength_m = True, 1550e-9
        self._ports.set(f"{self._laser}.emission", False)
        self._ports.set(f"{self._laser}.power_w", 1e-3)
        self._ports.set(f"{self._voa}.shutter_open", False)
        self._wavelength_m.place(START_WAVELENGTH_M)
        self._attenuation_db.place(0.0)
        self._position.place(1)

    def _is_settled(self) -> bool:
        return not any(part.remaining_s() for part in (self._wavelength_m, self._attenuation_db, self._position))

    def _get(self, name: str) -> float:
        value = self._ports.get(name)
        assert isinstance(value, bool | int | float)
        return float(value)

    def _flag(self, name: str) -> str:
        return f"{bool(self._get(name)):d}"

    def _set_shutter(self, text: str) -> None:
        self._ports.set(f"{self._voa}.shutter_open", bool(int(text)))

    def open_interlock(self) -> None:
        """The remote interlock opens: the laser goes off and stays off."""
        self.interlock_open = True
        self._ports.set(f"{self._laser}.emission", False)

    def _set_emission(self, text: str) -> None:
        if int(text) and self.interlock_open:
            raise ScpiError(*INTERLOCKED)
        self._ports.set(f"{self._laser}.emission", bool(int(text)))

    def _set_unit(self, text: str) -> None:
        self._in_dbm = int(text) == 0

    def _power(self) -> str:
        power_w = self._get(f"{self._laser}.power_w")
        return f"{10 * math.log10(1e3 * power_w) if self._in_dbm else power_w:+.8E}"

    def _set_power(self, text: str) -> None:
        match = re.fullmatch(r"([-+.\dEe]+?)\s*(W|DBM)?", text.upper())
        if match is None:
            raise ValueError(text)
        value, unit = float(match[1]), match[2] or ("DBM" if self._in_dbm else "W")
        power_w = value if unit == "W" else 1e-3 * 10 ** (value / 10)
        self._ports.set(f"{self._laser}.power_w", in_range(power_w, *POWER_RANGE_W))

    def _wavelength(self, which: str) -> str:
        ends = dict(zip(("MIN", "MAX"), WAVELENGTH_RANGE_M, strict=True))
        return f"{ends.get(which, self._wavelength_m.present()):+.12E}"

    def _set_wavelength(self, text: str) -> None:
        wavelength_m = in_range(float(text), *WAVELENGTH_RANGE_M)
        self._wavelength_m.go(wavelength_m, TUNING)

    def _attenuation(self, which: str) -> str:
        ends = dict(zip(("MIN", "MAX"), ATTENUATION_RANGE_DB, strict=True))
        return f"{ends.get(which, self._attenuation_db.present()):+.4E}"

    def _set_attenuation(self, text: str) -> None:
        self._attenuation_db.go(in_range(float(text), *ATTENUATION_RANGE_DB), ATTENUATING)

    def _set_voa_wavelength(self, text: str) -> None:
        self._voa_wavelength_m = in_range(float(text), 1.2e-6, 1.7e-6)

    def _set_route(self, text: str) -> None:
        common, _, output = text.partition(",")
        if common != "A":
            raise ValueError(text)
        self._position.go(int(in_range(int(output), 1, POSITIONS)), SWITCHING)
