"""A Keysight 8164 mainframe on the wire with a tunable laser, an attenuator and a switch in its slots."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from .ports import Ports, Value
from .scpi import INTERLOCKED, Command, ScpiDevice, ScpiError, in_range

SPEED_OF_LIGHT_M_PER_S = 299_792_458.0
WAVELENGTH_RANGE_M = (1450e-9, 1650e-9)
POWER_RANGE_W = (1e-6, 20e-3)
ATTENUATION_RANGE_DB = (0.0, 60.0)
POSITIONS = 4


class Keysight816xDevice(ScpiDevice):
    """Ports: ``<laser>.emission``, ``.power_w``, ``.frequency_hz``; ``<voa>.attenuation_db``, ``.open``;
    ``<switch>.position``. The three are in slots 1, 2 and 3."""

    def __init__(self, ports: Ports, laser: str = "laser", voa: str = "voa", switch: str = "switch") -> None:
        self._ports, self._laser, self._voa, self._switch = ports, laser, voa, switch
        self._in_dbm, self._voa_wavelength_m = True, 1550e-9
        self.interlock_open = False
        super().__init__(
            "Agilent Technologies,8164B,DE12345678,V5.25",
            {
                "SOURce1:POWer:STATe": Command(lambda _: self._flag(f"{laser}.emission"), self._set_emission),
                "SOURce1:POWer:UNIT": Command(lambda _: f"+{not self._in_dbm:d}", self._set_unit),
                "SOURce1:POWer": Command(lambda _: self._power(), self._set_power),
                "SOURce1:WAVelength": Command(self._wavelength, self._set_wavelength),
                "INPut2:ATTenuation": Command(self._attenuation, self._set_attenuation),
                "INPut2:WAVelength": Command(lambda _: f"{self._voa_wavelength_m:+.8E}", self._set_voa_wavelength),
                "OUTPut2:STATe": Command(lambda _: self._flag(f"{voa}.open"), self._set_flag(f"{voa}.open")),
                "ROUTe3:CHANnel1": Command(lambda _: f"A,{self._get(f'{switch}.position'):.0f}", self._set_route),
            },
        )
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        self._in_dbm, self._voa_wavelength_m = True, 1550e-9
        start: dict[str, Value] = {
            f"{self._laser}.emission": False,
            f"{self._laser}.power_w": 1e-3,
            f"{self._laser}.frequency_hz": SPEED_OF_LIGHT_M_PER_S / 1550e-9,
            f"{self._voa}.attenuation_db": 0.0,
            f"{self._voa}.open": False,
            f"{self._switch}.position": 1,
        }
        for name, value in start.items():
            self._ports.set(name, value)

    def _get(self, name: str) -> float:
        value = self._ports.get(name)
        assert isinstance(value, bool | int | float)
        return float(value)

    def _flag(self, name: str) -> str:
        return f"{bool(self._get(name)):d}"

    def _set_flag(self, name: str) -> Callable[[str], None]:
        return lambda text: self._ports.set(name, bool(int(text)))

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
        here_m = SPEED_OF_LIGHT_M_PER_S / self._get(f"{self._laser}.frequency_hz")
        return f"{ends.get(which, here_m):+.12E}"

    def _set_wavelength(self, text: str) -> None:
        wavelength_m = in_range(float(text), *WAVELENGTH_RANGE_M)
        self._ports.set(f"{self._laser}.frequency_hz", SPEED_OF_LIGHT_M_PER_S / wavelength_m)

    def _attenuation(self, which: str) -> str:
        ends = dict(zip(("MIN", "MAX"), ATTENUATION_RANGE_DB, strict=True))
        return f"{ends.get(which, self._get(f'{self._voa}.attenuation_db')):+.4E}"

    def _set_attenuation(self, text: str) -> None:
        self._ports.set(f"{self._voa}.attenuation_db", in_range(float(text), *ATTENUATION_RANGE_DB))

    def _set_voa_wavelength(self, text: str) -> None:
        self._voa_wavelength_m = in_range(float(text), 1.2e-6, 1.7e-6)

    def _set_route(self, text: str) -> None:
        common, _, output = text.partition(",")
        if common != "A":
            raise ValueError(text)
        self._ports.set(f"{self._switch}.position", int(in_range(int(output), 1, POSITIONS)))
